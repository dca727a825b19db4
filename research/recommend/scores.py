"""Scores of one history for the whole catalogue, by a trained model or by a baseline that is fitted again.

Shape legend: I items of the catalogue, D width.
"""

from __future__ import annotations

import warnings
from functools import cached_property

import numpy as np
import torch

from research.data.histories import Histories
from research.data.reading import columns_read
from research.data.split import Split
from research.encoders.base import Encoder
from research.ensembles.trained import TrainedRun
from research.errors import UserError
from research.evaluation.baselines.base import baseline_of
from research.evaluation.baselines.recent_popularity import RecentPopularity
from research.evaluation.blocks import Block, Blocks
from research.fusion.candidate_gate import GatedByCandidate
from research.recommend.answer import Shares
from research.recommend.asked import Asked
from research.recommend.known import content_parts, draws_vectors, parts_with_times, parts_with_users, rows_known
from research.recommend.scorer import Scored, Scorer, catalogue_scores


class BaselineScorer(Scorer):
    """A baseline, over the catalogue of its data."""

    reads_content = history_as_text = False
    columns = ()

    def __init__(self, run: TrainedRun, histories: Histories, split: Split, added: int) -> None:
        """Fit it to the training data.

        Raises:
            UserError: items are added, or it cannot be fitted.
        """
        if added:
            raise UserError(
                f"{run.directory} is a baseline, which takes neither new items nor a text. Take a run of a model with "
                "items=text_ids."
            )
        self.histories, self.known_A = histories, np.zeros(0, dtype=bool)
        self.baseline = baseline_of(run.config)
        self.baseline.fit(histories, split.train)
        self.reads_times = ["recent_popularity"] if isinstance(self.baseline, RecentPopularity) else []

    def __call__(self, asked: Asked) -> Scored:
        alone, queries = asked.query(self.histories)
        return Scored(self.baseline.score(alone, queries, np.array([0]))[0].astype(np.float64))


class ModelScorer(Scorer):
    """A trained model, over a catalogue that may be longer than the one that it was trained on."""

    def __init__(self, run: TrainedRun, histories: Histories, split: Split, added: int) -> None:
        """Build the model and load its weights.

        Raises:
            UserError: the weights do not fit, or items are added and the model draws vectors at random.
        """
        self.histories, self.max_length = histories, run.config.max_length
        with warnings.catch_warnings():
            # Which items have no text was said when the model was trained.
            warnings.filterwarnings("ignore", message=r".* items have no ")
            parts = run.parts(histories, split, added)
        self.model, self.objective = parts.model, parts.objective
        items = self.model.items
        if added and draws_vectors(items):
            raise UserError(
                f"{run.directory}: a part of its items is random, the control without meaning. Another catalogue has "
                "other random vectors, so nothing can be added to it. Take a run with items=text_ids."
            )
        self.reads_content = bool(content_parts(items))
        self.history_as_text = any(isinstance(one, Encoder) and one.reads_content for one in self.model.modules())
        self.reads_times = parts_with_times(self.model)
        self.columns = columns_read(self.model.modules(), histories)
        with torch.no_grad():
            self.known_A = rows_known(items, torch.arange(histories.n_items - added, histories.n_items)).numpy()
            self.candidates_ID = items.candidates()

    def __call__(self, asked: Asked) -> Scored:
        if asked.user is None and self._reads_users:
            named = " and ".join(parts_with_users(self.model, self.histories.n_users)) or "This model"
            raise UserError(
                f"{named} reads who the user is, and a typed history or text belongs to nobody that it knows. Ask for "
                "a user of the data (--user), or take a run without vectors of users."
            )
        return self._scored(asked, None)

    def _scored(self, asked: Asked, user: int | None) -> Scored:
        with torch.no_grad():
            block = self._block(asked, user)
            fused = self.model(block.batch, block.at)
            shares = None if fused.weight_N2 is None else Shares(*fused.weight_N2[0].tolist())
            own = isinstance(fused, GatedByCandidate)
            long_I = fused.share(self.candidates_ID)[0].double().numpy() if own else None
            return Scored(catalogue_scores(fused, self.candidates_ID), shares, long_I)

    def _block(self, asked: Asked, user: int | None) -> Block:
        alone, queries = asked.query(self.histories, user)
        return Blocks(alone, queries, self.objective, self.max_length, self.columns)[np.array([0])]

    @cached_property
    def _reads_users(self) -> bool:
        """Whether the answer to one question depends on who asks.

        The model itself is tried: no part can forget to say so, and a table of users that plays no part is none.
        """
        one = Asked.of_items(self.histories, np.array([1]))
        first, last = (self._scored(one, user).score_I for user in (0, self.histories.n_users - 1))
        return not np.array_equal(first, last)


def scorer_of(run: TrainedRun, histories: Histories, split: Split, added: int = 0) -> Scorer:
    """Of a run.

    Args:
        run: a finished one.
        histories: its dataset, perhaps with a longer catalogue.
        split: its split.
        added: how many items are longer.

    Raises:
        UserError: it cannot be loaded.
    """
    return (BaselineScorer if run.config.get("baseline") else ModelScorer)(run, histories, split, added)
