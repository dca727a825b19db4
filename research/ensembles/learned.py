"""Weights that make the right items of the validation queries most likely; the test queries play no part.

The likelihood is that of a softmax over the catalogue of ``sum_r w_r standardised(score_r)``, with every ``w_r`` above
zero. The problem is convex in ``w``; L-BFGS in float64 solves it from equal weights, so a rerun gives the same.

Shape legend: R runs, V validation queries, B queries of a block, I items.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from research.ensembles.base import Rule, shares, standardised
from research.errors import UserError


class Learned(Rule):
    """Weights found on validation; ``weights`` states their shares."""

    learns: ClassVar[bool] = True

    def __init__(self, n_runs: int, weights: Sequence[float] | None) -> None:
        """Start from equal weights.

        Raises:
            UserError: weights were given too.
        """
        if weights is not None:
            raise UserError("--by learned finds the weights itself; leave --weights out, or use --by weighted.")
        self.weight_R = torch.ones(n_runs, dtype=torch.float64)

    def learn(self, seen: Iterable[tuple[Tensor, Tensor]]) -> None:
        blocks = [(standardised(score_RBI), target_B) for score_RBI, target_B in seen]
        n = sum(len(target_B) for _, target_B in blocks)
        log_R = torch.zeros_like(self.weight_R, requires_grad=True)
        optimizer = torch.optim.LBFGS(
            [log_R], max_iter=200, tolerance_grad=1e-9, tolerance_change=1e-12, line_search_fn="strong_wolfe"
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            total = log_R.new_zeros(())
            for score_RBI, target_B in blocks:
                score_BI = torch.einsum("r,rbi->bi", log_R.exp(), score_RBI)
                loss = torch.nn.functional.cross_entropy(score_BI, target_B, reduction="sum") / n
                loss.backward()
                total = total + loss.detach()
            return total

        with torch.enable_grad():
            optimizer.step(closure)
        self.weight_R = log_R.detach().exp()

    def combine(self, score_RBI: Tensor) -> Tensor:
        return torch.einsum("r,rbi->bi", self.weight_R, standardised(score_RBI))

    @property
    def weights(self) -> list[float]:
        return shares(len(self.weight_R), self.weight_R.tolist())
