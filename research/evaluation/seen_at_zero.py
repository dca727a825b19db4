"""Scores in which what a user has seen scores 0 and stays a candidate (``rating_pred[seen] = 0`` in S3-Rec and HGN).

Shape legend: B users, C items of a chunk, S seen items of all users together.
"""

from __future__ import annotations

import torch
from torch import Tensor

from research.evaluation.ranks import Scores


class SeenAtZero:
    """Other scores with zeros in them."""

    def __init__(self, scores: Scores, seen_row_S: Tensor, seen_item_S: Tensor) -> None:
        """Name the seen items, as for ``count_better``."""
        self.scores, self.n_items = scores, scores.n_items
        self.seen_row_S, self.seen_item_S = seen_row_S, seen_item_S

    def of(self, item_B: Tensor) -> Tensor:
        score_B = self.scores.of(item_B).clone()
        score_B[self.seen_row_S[self.seen_item_S == item_B[self.seen_row_S]]] = 0.0
        return score_B

    def chunk(self, start: int, stop: int) -> Tensor:
        score_BC = self.scores.chunk(start, stop)
        inside_S = (self.seen_item_S >= start) & (self.seen_item_S < stop)
        row_s, item_s = self.seen_row_S[inside_S], self.seen_item_S[inside_S] - start
        return torch.index_put(score_BC, (row_s, item_s), score_BC.new_zeros(()))
