"""Ranks by dot products: in float32 first, and in float64 only where two scores are close.

The counts are those of ``count_better`` on ``DotScores``, the slow twin. In units of the grid, 2^-24 of ``|interest| *
max |item|``, a float32 product of D terms and the target's own score is off by at most 2 D and a few units, whatever
the order of the sum. So around each target lies a band. Its lower end is written as 0 and its upper one as 1: cut off
there, a rival's score says 1 where it is better and 0 where it is not, a sum counts, and a row in which the sum of the
squares is another one has rivals in the band. These few are scored again as the twin scores them.

Shape legend: B users, D width, E = D + 1, I items, C items of a chunk, R rows with rivals in their band, S seen items
of all users together, P close pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from research.errors import UserError
from research.evaluation.ranks import count_better, settle
from research.evaluation.scores import BROKEN, CandidateScores, DotScores
from research.fusion.base import Fused

SLACK = 10
"""Units beside twice the width: roundings of the factors and of the target, and what ``FRACTION`` passes over."""
FRACTION = 0.01
"""A row's sums that differ by less are called equal: any rival in the band is then within 1 % of one of its ends."""


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
        longest = candidates_ID.double().norm(dim=1).max()
        self.longest = longest if longest > 0 else torch.ones_like(longest)
        one_I1 = candidates_ID.new_ones(len(candidates_ID), 1)
        self.unit_IE = torch.cat([candidates_ID / self.longest, one_I1], dim=1).float()

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
    reach = 2 * d + SLACK
    rough_BE = (torch.cat([unit_BD, (reach - target_score_B)[:, None]], dim=1) / (2 * reach)).float()
    better_B, ties_B, out_B = torch.zeros((3, b), dtype=torch.int64, device=target_B.device)
    # The target is no rival of itself, seen items are no candidates. Who stands there twice is counted once: of several
    # numbers that are written to one place one stays.
    out_row, out_item = torch.cat([seen_row_S, row_B]), torch.cat([seen_item_S, target_B])
    written = torch.empty(b * min(chunk, len(catalogue)), dtype=torch.int64, device=target_B.device)
    number = torch.arange(len(out_row), device=target_B.device)
    for start in range(0, len(catalogue), chunk):
        x_BC = rough_BE @ catalogue.unit_IE[start : start + chunk].t()
        inside = ((out_item >= start) & (out_item < start + chunk)).nonzero().squeeze(1)
        row, place = out_row[inside], out_row[inside] * x_BC.shape[1] + out_item[inside] - start
        written[place] = number[inside]
        out_B.index_add_(0, row, (written[place] == number[inside]).long())
        x_BC.view(-1).index_fill_(0, place, 0.0)
        x_BC.clamp_(0.0, 1.0)
        # Sums by a product: on a CPU many times faster than a sum of booleans, and exact below 2^24.
        sum_B = x_BC @ x_BC.new_ones(x_BC.shape[1])
        rows = ((sum_B - torch.linalg.vector_norm(x_BC, dim=1).square()).abs() > FRACTION).nonzero().squeeze(1)
        x_RC = x_BC[rows]
        sum_B[rows] = (x_RC == 1.0).sum(1).float()
        better_B += sum_B.round().long()
        pair, column = ((x_RC > 0.0) & (x_RC < 1.0)).nonzero(as_tuple=True)
        row_P = rows[pair]
        score_P, threshold_P = exact(row_P, column + start), target_score_B[row_P]
        better_B.index_add_(0, row_P, (score_P > threshold_P).long())
        ties_B.index_add_(0, row_P, (score_P == threshold_P).long())
    return settle(better_B, ties_B, len(catalogue) - out_B, target_B, seen_row_S, seen_item_S)
