"""Ranks by dot products: in float32 first, and in float64 only where two scores are close.

The counts are those of ``count_better`` on ``DotScores``, the slow twin. In units of the grid, 2^-24 of ``|interest| *
max |item|``, a float32 product is off by at most its width and a few units, whatever the order of the sum. Rivals that
are further from the target than that are decided; the few that are nearer are scored again as the twin scores them.

Shape legend: B users, D width, I items, C items of a chunk, S seen items of all users together, P close pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from research.errors import UserError
from research.evaluation.ranks import count_better, settle
from research.evaluation.scores import BROKEN, CandidateScores, DotScores
from research.fusion.base import Fused

SLACK = 8
"""Units beside the width: roundings of the factors, of the target to the grid and of the thresholds."""


class Catalogue:
    """The vectors of all items, made ready once for many users."""

    def __init__(self, candidates_ID: Tensor) -> None:
        """Hold the vectors.

        Raises:
            UserError: one of them is not finite.
        """
        if not torch.isfinite(candidates_ID).all():
            raise UserError(BROKEN)
        self.candidates_ID = candidates_ID
        self.longest = candidates_ID.double().norm(dim=1).max().clamp(min=torch.finfo(torch.float64).tiny)
        self.unit_ID = (candidates_ID / self.longest).float()

    def __len__(self) -> int:
        return len(self.candidates_ID)


def count_better_fused(
    fused: Fused, catalogue: Catalogue, target_B: Tensor, seen_row_S: Tensor, seen_item_S: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The counts of a model's interests, dot products or not; arguments and results as of ``count_better``.

    Raises:
        UserError: a score is not finite.
    """
    if fused.dot:
        return count_better_dots(fused.interest_ND, catalogue, target_B, seen_row_S, seen_item_S)
    return count_better(CandidateScores(fused, catalogue.candidates_ID), target_B, seen_row_S, seen_item_S)


def count_better_dots(
    interest_BD: Tensor,
    catalogue: Catalogue,
    target_B: Tensor,
    seen_row_S: Tensor,
    seen_item_S: Tensor,
    *,
    chunk: int = 2048,
) -> tuple[Tensor, Tensor, Tensor]:
    """Count who scores above each target, and who equals it; arguments and results as of ``count_better``.

    Raises:
        UserError: an interest is not finite.
    """
    if torch.get_float32_matmul_precision() != "highest":  # then a float32 product may be off by much more
        scores = DotScores(interest_BD, catalogue.candidates_ID)
        return count_better(scores, target_B, seen_row_S, seen_item_S)
    if not torch.isfinite(interest_BD).all():
        raise UserError(BROKEN)
    b, d = interest_BD.shape
    interest = interest_BD.double()
    unit_BD = interest / interest.norm(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float64).tiny) * 2**24

    def exact(row_P: Tensor, item_P: Tensor) -> Tensor:
        item_PD = catalogue.candidates_ID[item_P].double() / catalogue.longest
        return (unit_BD[row_P] * item_PD).sum(1).round()

    row_B = torch.arange(b, device=target_B.device)
    target_score_B = exact(row_B, target_B)
    high_B1 = (target_score_B + (d + SLACK)).float()[:, None]
    low_B1 = (target_score_B - (d + SLACK)).float()[:, None]
    rough_BD = unit_BD.float()
    better_B, ties_B, out_B = torch.zeros((3, b), dtype=torch.int64, device=target_B.device)
    # The target is no rival of itself, seen items are no candidates; NaN compares false.
    out_row, out_item = torch.cat([seen_row_S, row_B]), torch.cat([seen_item_S, target_B])
    for start in range(0, len(catalogue), chunk):
        unit_CD = catalogue.unit_ID[start : start + chunk]
        score_BC = rough_BD @ unit_CD.t()
        inside = (out_item >= start) & (out_item < start + chunk)
        score_BC[out_row[inside], out_item[inside] - start] = torch.nan
        # Comparisons are written as 0.0 and 1.0 and added up by a product: on a CPU many times faster than a sum of
        # booleans, and exact below 2^24.
        flag_BC, one_C = torch.empty_like(score_BC), score_BC.new_ones(len(unit_CD))
        out_B += (torch.ne(score_BC, score_BC, out=flag_BC) @ one_C).long()
        above_B = (torch.gt(score_BC, high_B1, out=flag_BC) @ one_C).long()
        better_B += above_B
        close_B = (torch.ge(score_BC, low_B1, out=flag_BC) @ one_C).long() > above_B
        rows = close_B.nonzero().squeeze(1)
        score_RC = score_BC[rows]
        pair, column = ((score_RC >= low_B1[rows]) & (score_RC <= high_B1[rows])).nonzero(as_tuple=True)
        row_P = rows[pair]
        score_P, threshold_P = exact(row_P, column + start), target_score_B[row_P]
        better_B.index_add_(0, row_P, (score_P > threshold_P).long())
        ties_B.index_add_(0, row_P, (score_P == threshold_P).long())
    return settle(better_B, ties_B, len(catalogue) - out_B, target_B, seen_row_S, seen_item_S)
