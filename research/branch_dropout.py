"""Hide a whole branch from the fusion while training, so that it cannot lean on one alone (LSTUR).

LSTUR masks the long user vector of a training sample with probability 0.5, as a stand-in for unknown users (An et al.,
ACL 2019). Here either branch may be hidden, never both, and nothing is scaled up. One draw holds for a history of a
step, so that windows that begin together still begin from the same state. Auxiliary terms see the branches whole.

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from research.errors import UserError
from research.fusion.base import Fused, Fusion
from research.views import Views


@dataclass(frozen=True, kw_only=True)
class BranchDropout:
    """How often each branch is hidden.

    Attributes:
        long: probability of a zero long state.
        short: probability of a zero short state; both together at most 1.
    """

    long: float = 0.5
    short: float = 0.0

    def __post_init__(self) -> None:
        if self.long < 0 or self.short < 0 or self.long + self.short > 1:
            raise UserError(
                f"branch_dropout.long={self.long}, branch_dropout.short={self.short}: two probabilities whose sum is "
                "at most 1, since both branches are never hidden together."
            )


class HidingFusion(Fusion):
    """A fusion that is shown zeros for one branch of some histories."""

    def __init__(self, fusion: Fusion, rates: BranchDropout) -> None:
        """Wrap ``fusion``."""
        super().__init__()
        self.fusion, self.rates = fusion, rates

    def forward(self, views: Views) -> Fused:
        # Without a rate nothing is drawn either, so later draws stay what they were.
        if not self.training or self.rates.long + self.rates.short == 0:
            return self.fusion(views)
        draw_B = torch.rand(len(views.batch.length_B), device=views.batch.length_B.device)
        return self.fusion(PartlyHidden(views, draw_B >= self.rates.long, draw_B < 1 - self.rates.short))


class PartlyHidden(Views):
    """Views of which some states are zero; what is computed is shared with the whole views.

    The items of a window, which some fusions read, are no state and stay visible.
    """

    def __init__(self, whole: Views, keep_long_B: Tensor, keep_short_B: Tensor) -> None:
        """Name the histories whose long and whose short states stay visible."""
        super().__init__(
            whole.rows,
            whole.batch,
            whole.at,
            long=whole.long,
            short=whole.short,
            start_N=whole._start_N,
            end_N=whole._end_N,
            overlap=whole.overlap,
        )
        self.whole, self.keep_long_B11 = whole, keep_long_B[:, None, None]
        row_N = whole.at.row_N
        self.keep_long_N1, self.keep_short_N1 = keep_long_B[row_N, None], keep_short_B[row_N, None]

    @cached_property
    def long_BTD(self) -> Tensor:
        """Long-term states at every position, zeros where hidden."""
        return self.whole.long_BTD * self.keep_long_B11

    @cached_property
    def twin_ND(self) -> Tensor:
        """What stands for the long state in the control with one branch twice, zeros where hidden."""
        return self.whole.twin_ND * self.keep_long_N1

    @cached_property
    def long_ND(self) -> Tensor:
        """Long-term states, zeros where hidden."""
        return self.whole.long_ND * self.keep_long_N1

    @cached_property
    def before_ND(self) -> Tensor:
        """Long-term states before the windows, zeros where hidden."""
        return self.whole.before_ND * self.keep_long_N1

    @cached_property
    def short_ND(self) -> Tensor:
        """Short-term states, zeros where hidden."""
        return self.whole.short_ND * self.keep_short_N1

    def short_from(self, initial_ND: Tensor) -> Tensor:
        """Short-term states from a given one, zeros where hidden."""
        return self.whole.short_from(initial_ND) * self.keep_short_N1
