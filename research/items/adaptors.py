"""From vectors of a pretrained model to the width of the run.

    linear   W x                                                      AlphaRec (Sheng et al., ICLR 2025)
    mlp      W2 leaky(W1 x + b1), hidden half as wide as x
    moe      sum_e softmax(x G + noise)_e  W_e (dropout(x) - b_e)     UniSRec (Hou et al., KDD 2022)

In UniSRec there are eight experts of parametric whitening, dropout 0.2, and noise with a learned spread while training;
so it is here. No adaptor adds a constant to all items at its end: in a ranking it would cancel.

Shape legend: U items, E numbers of the given vectors, X experts, D width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Kind = Literal["linear", "mlp", "moe"]
EXPERTS = 8
DROPOUT = 0.2
LEAST_NOISE = 1e-2


class Linear(nn.Linear):
    """One matrix."""

    def __init__(self, given: int, width: int) -> None:
        """From ``given`` numbers to ``width``."""
        super().__init__(given, width, bias=False)

    def outermost(self) -> list[Tensor]:
        """What its output is proportional to."""
        return [self.weight]


class MLP(nn.Module):
    """Two matrices and a kink."""

    def __init__(self, given: int, width: int) -> None:
        """From ``given`` numbers to ``width``."""
        super().__init__()
        hidden = max(1, given // 2)
        self.inner, self.outer = nn.Linear(given, hidden), nn.Linear(hidden, width, bias=False)

    def forward(self, x_UE: Tensor) -> Tensor:
        return self.outer(F.leaky_relu(self.inner(x_UE)))

    def outermost(self) -> list[Tensor]:
        """What its output is proportional to."""
        return [self.outer.weight]


class MixtureOfExperts(nn.Module):
    """Experts that each move and map the vector, mixed by a gate that looks at it."""

    def __init__(self, given: int, width: int) -> None:
        """From ``given`` numbers to ``width``."""
        super().__init__()
        self.shift_XE = nn.Parameter(torch.zeros(EXPERTS, given))
        self.map_XED = nn.Parameter(torch.randn(EXPERTS, given, width) * 0.02)
        self.gate_EX = nn.Parameter(torch.zeros(given, EXPERTS))
        self.noise_EX = nn.Parameter(torch.zeros(given, EXPERTS))

    def forward(self, x_UE: Tensor) -> Tensor:
        score_UX = x_UE @ self.gate_EX
        if self.training:
            spread_UX = F.softplus(x_UE @ self.noise_EX) + LEAST_NOISE
            score_UX = score_UX + torch.randn_like(score_UX) * spread_UX
        # (dropout(x) - b) W = dropout(x) W - b W: no (U, X, E) array is made.
        dropped_XUE = [F.dropout(x_UE, DROPOUT, self.training) for _ in range(EXPERTS)]
        mapped_UXD = torch.stack([x @ w for x, w in zip(dropped_XUE, self.map_XED, strict=True)], dim=1)
        moved_XD = torch.einsum("xe,xed->xd", self.shift_XE, self.map_XED)
        return torch.einsum("ux,uxd->ud", score_UX.softmax(dim=1), mapped_UXD - moved_XD)

    def outermost(self) -> list[Tensor]:
        """What its output is proportional to."""
        return [self.map_XED]


ADAPTORS: dict[str, Callable[[int, int], Linear | MLP | MixtureOfExperts]] = {
    "linear": Linear,
    "mlp": MLP,
    "moe": MixtureOfExperts,
}


@torch.no_grad()
def adaptor(kind: Kind, example_UE: Tensor, width: int, std: float) -> Linear | MLP | MixtureOfExperts:
    """An adaptor whose output begins with the spread of an id table, so that no part begins louder than another.

    Args:
        kind: which.
        example_UE: some of the vectors that it will be given; zeros are no examples.
        width: of the run.
        std: of what it gives at first.
    """
    made = ADAPTORS[kind](example_UE.shape[1], width)
    made.eval()
    spread = made(example_UE).square().mean().sqrt()
    if spread > 0:
        for weight in made.outermost():
            weight.mul_(std / spread)
    return made.train()
