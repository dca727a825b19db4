"""Leave-one-out, with a share of the items never trained on: what a model does for what has just come in.

Interactions with cold items are skipped when a training batch is cut (`Spans.kept`), so the neighbours of a cold item
become neighbours: training histories stay whole histories, shorter by what is cold. Cutting them into pieces at each
cold item would take the long-term view away and so decide what this framework asks.

Shape legend: N interactions, I items, Q queries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from research.data.draw import check_seed, check_share, drawn
from research.data.histories import Histories
from research.data.split import LeaveOneOut, Queries, Split, Splitter
from research.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ItemCold(Splitter):
    """Each query says whether its target is cold, so one table compares the two.

    The input of a query keeps its cold items: they happened, and a model with content knows them. Only a model with
    item vectors from content can rank a cold target better than chance. As leave-one-out, the protocol leaks the
    future across users.
    """

    share: float = 0.1
    """Share of the items that are cold, rounded down, to no less than one."""
    seed: int = 0
    """Of the draw of cold items."""

    def __post_init__(self) -> None:
        check_share("share", self.share)
        check_seed(self.seed)

    def __call__(self, histories: Histories) -> Split:
        """Split ``histories``.

        Raises:
            UserError: no user has three interactions, or nothing is left to train on.
        """
        whole = LeaveOneOut()(histories)
        cold_I = np.concatenate([[False], drawn(histories.item_ids, self.share, self.seed)])
        cold_N = cold_I[histories.items]
        train = replace(whole.train, kept=~cold_N).without_empty()
        if not len(train):
            raise UserError(f"Item-cold split of {histories.name!r}: nothing is left to train on. Lower split.share.")

        def labelled(queries: Queries) -> Queries:
            return replace(queries, cold=cold_N[queries.target])

        return Split(
            name=f"item-cold {self.share:g}, seed {self.seed}",
            train=train,
            validation=labelled(whole.validation),
            test=labelled(whole.test),
            dropped=replace(whole.train, kept=cold_N).without_empty(),
        )
