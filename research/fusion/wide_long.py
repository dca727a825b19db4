"""Control: one branch at equal parameters. What the other arm spends on a second view is spent on the first.

``interest = long + V relu(U long) + c``. By default the neurons cost what the gate of ``gated`` costs, 2 D^2 + D. The
second encoder of the other arm costs far more: give ``parameters`` the difference between that arm and ``long_only``
(both counts stand in their records), and the whole models are equal to within 2 D parameters.

Shape legend: N asked positions, D width, H neurons.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from research.errors import UserError
from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class WideLong(StateFusion):
    """The long state through a residual layer of neurons; the short branch is neither built nor computed."""

    branches: ClassVar[tuple[str, ...]] = ("long",)

    def __init__(self, sizes: Sizes, *, parameters: int | None = None) -> None:
        """Make as many neurons as may be had.

        Args:
            sizes: of the run.
            parameters: to be spent, at least 3 D; ``None`` is what ``gated`` spends.

        Raises:
            UserError: they do not pay for one neuron.
        """
        super().__init__()
        width = sizes.width
        parameters = 2 * width * width + width if parameters is None else parameters
        # A neuron reads and writes D numbers; the bias is D more.
        hidden = (parameters - width) // (2 * width)
        if hidden < 1:
            raise UserError(
                f"fusion.parameters={parameters}: one neuron at width={width} needs {3 * width}. "
                "Give more, or null for as many as fusion=gated has."
            )
        self.inner, self.out = nn.Linear(width, hidden, bias=False), nn.Linear(hidden, width)

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        weight_N2 = long_ND.new_tensor([1.0, 0.0]).expand(len(long_ND), 2)
        return Fused(long_ND + self.out(self.inner(long_ND).relu()), weight_N2)
