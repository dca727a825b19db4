"""A target among drawn items instead of the whole catalogue: how old tables were made.

Each query draws from a stream of its own, named by the rule's seed, the user and the target's position, so that every
model, epoch, process and block ranks it among the same items.

Shape legend: Q queries, B queries of a block, K drawn items, I items.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from research.data.histories import Histories
from research.data.split import Queries, Spans
from research.errors import UserError
from research.evaluation.published import Published
from research.evaluation.ranks import Scores


def draw_candidates(rule: Published, histories: Histories, train: Spans, queries: Queries) -> Tensor:
    """``(Q, K)`` catalogue rows, from 0, that each target is ranked among.

    Raises:
        UserError: somebody has too few items to draw from.
    """
    count_I = train.count(histories)
    trained = _trained_rows(histories, train) if rule.candidates == "uniform" else None
    drawn_QK = np.empty((len(queries), rule.negatives), dtype=np.int64)
    for q, (user, start, stop, target) in enumerate(
        zip(queries.user, queries.start, queries.stop, queries.target, strict=True)
    ):
        random = np.random.default_rng([rule.seed, int(user), int(target)])
        if trained is not None:
            drawn_QK[q] = _uniform(random, rule.negatives, histories.n_items, trained[user])
        else:
            known = np.append(histories.items[start:stop], histories.items[target]) - 1
            drawn_QK[q] = _popular(random, rule.negatives, count_I, known)
    return torch.from_numpy(drawn_QK)


def count_drawn(scores: Scores, target_B: Tensor, drawn_BK: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The counts of ``count_better`` among the drawn items; an item that was drawn twice counts twice.

    The target may have been drawn as its own rival: then it ties with itself, as in the code that draws so.
    """
    target_score_B = scores.of(target_B)
    better_B, ties_B = torch.zeros((2, len(target_B)), dtype=torch.int64, device=target_B.device)
    for drawn_B in drawn_BK.to(target_B.device).unbind(1):
        score_B = scores.of(drawn_B)
        better_B += score_B > target_score_B
        ties_B += score_B == target_score_B
    return better_B, ties_B, torch.full_like(target_B, drawn_BK.shape[1] + 1)


def _trained_rows(histories: Histories, train: Spans) -> list[np.ndarray]:
    """For each user the catalogue rows of their training interactions."""
    user_N = np.repeat(train.user, train.length)
    order = np.argsort(user_N, kind="stable")
    rows = (histories.items[train.positions] - 1)[order]
    return np.split(rows, np.searchsorted(user_N[order], np.arange(1, histories.n_users)))


def _uniform(random: np.random.Generator, k: int, n_items: int, left_out: np.ndarray) -> np.ndarray:
    allowed_I = np.ones(n_items, dtype=bool)
    allowed_I[left_out] = False
    allowed = np.flatnonzero(allowed_I)
    if not len(allowed):
        raise UserError("evaluation.candidates=uniform: a user's training history holds the whole catalogue.")
    return allowed[random.integers(len(allowed), size=k)]


def _popular(random: np.random.Generator, k: int, count_I: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    weight_I = count_I.astype(np.float64)
    weight_I[left_out] = 0.0
    if np.count_nonzero(weight_I) < k:
        raise UserError(
            f"evaluation.candidates=popularity: a user has {np.count_nonzero(weight_I)} items to draw "
            f"{k} different ones from. Lower evaluation.negatives."
        )
    return random.choice(len(weight_I), size=k, replace=False, p=weight_I / weight_I.sum())
