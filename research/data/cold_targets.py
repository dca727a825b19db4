"""Queries whose target training never saw, taken out: RecTools drops them, we keep them as misses.

Shape legend: Q queries, I items.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from research.data.histories import Histories
from research.data.split import Queries, Spans, Split
from research.errors import UserError


def without_cold_targets(histories: Histories, split: Split) -> Split:
    """The split without those queries; their targets are dropped interactions now.

    Raises:
        UserError: no test query is left.
    """
    trained_I = np.concatenate([[False], split.train.count(histories) > 0])
    before = split.dropped
    if before.kept is not None:  # one span an interaction, as those below
        lost = before.positions
        owner = np.searchsorted(histories.offsets, lost, side="right") - 1
        before = Spans(owner, lost, lost + 1)
    kept, dropped = {}, [before]
    for name in ("validation", "test"):
        queries: Queries = getattr(split, name)
        warm_Q = trained_I[histories.items[queries.target]]
        cold = queries.target[~warm_Q]
        dropped.append(Spans(queries.user[~warm_Q], cold, cold + 1))
        kept[name] = Queries(
            *(getattr(queries, key)[warm_Q] for key in ("user", "start", "stop", "target")),
            cold=None if queries.cold is None else queries.cold[warm_Q],
        )
    if not len(kept["test"]):
        raise UserError(
            f"evaluation.cold_targets=dropped leaves no test query of {histories.name!r}: no target is in the "
            "training data. Use evaluation.cold_targets=kept."
        )
    return replace(split, **kept, dropped=Spans.joined(*dropped))
