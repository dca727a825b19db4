"""The rank of a held-out item, as a count over chunks of the catalogue instead of a sort.

Shape legend: B users, I items, C items of a chunk, S seen items of all users together.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Scores(Protocol):
    """Scores of some users for the catalogue, computed where they are asked for."""

    n_items: int

    def of(self, item_B: Tensor) -> Tensor:
        """``(B,)`` float32 score of one item (catalogue row, from 0) for each user."""
        ...

    def chunk(self, start: int, stop: int) -> Tensor:
        """``(B, C)`` float32 scores of the items ``[start, stop)``; the caller may overwrite them."""
        ...


def count_better(
    scores: Scores, target_B: Tensor, seen_row_S: Tensor, seen_item_S: Tensor, *, chunk: int = 4096
) -> tuple[Tensor, Tensor, Tensor]:
    """Count who scores above each target, and who equals it.

    Args:
        scores: of ``B`` users.
        target_B: catalogue row (from 0) of each held-out item.
        seen_row_S: user row of each interaction whose item is not to be recommended again; may repeat.
        seen_item_S: catalogue row of that item.
        chunk: items scored at one time.

    Returns:
        ``better_B``, ``ties_B`` (other candidates with exactly the target's score) and ``candidates_B``, the target
        among them. A target that is itself seen cannot be recommended: it stands last, without ties.
    """
    target_score_B = scores.of(target_B)
    better_B, ties_B, out_B = torch.zeros((3, len(target_B)), dtype=torch.int64, device=target_B.device)
    # Neither better nor equal: NaN compares false. The target is no rival of itself, seen items are no candidates.
    out_row = torch.cat([seen_row_S, torch.arange(len(target_B), device=target_B.device)])
    out_item = torch.cat([seen_item_S, target_B])
    for start in range(0, scores.n_items, chunk):
        score_BC = scores.chunk(start, min(start + chunk, scores.n_items))
        inside = (out_item >= start) & (out_item < start + chunk)
        score_BC[out_row[inside], out_item[inside] - start] = torch.nan
        better_B += (score_BC > target_score_B[:, None]).sum(1)
        ties_B += (score_BC == target_score_B[:, None]).sum(1)
        out_B += score_BC.isnan().sum(1)
    return settle(better_B, ties_B, scores.n_items - out_B, target_B, seen_row_S, seen_item_S)


def settle(
    better_B: Tensor, ties_B: Tensor, rivals_B: Tensor, target_B: Tensor, seen_row_S: Tensor, seen_item_S: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The counts with targets that are themselves seen put last, and the candidates of each user."""
    target_seen_B = torch.zeros_like(target_B, dtype=torch.bool)
    target_seen_B[seen_row_S[seen_item_S == target_B[seen_row_S]]] = True
    better_B = torch.where(target_seen_B, rivals_B, better_B)
    return better_B, ties_B.masked_fill(target_seen_B, 0), rivals_B + 1
