"""An optimizer that updates only the rows which a step looked up, for item tables of millions.

Weights whose gradients are sparse go to torch's SparseAdam, all others to fused AdamW, behind one optimizer. Its groups
are those of its two parts, the same objects, so a schedule reaches both; its state has torch's usual form, so a
checkpoint of it is continued exactly.

What is lazy about it: the moments of a row that was not looked up do not decay meanwhile, and weight decay is applied
to dense weights only, since it would touch every row at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer, SparseAdam


class TouchedRows(Optimizer):
    """Fused AdamW for dense gradients, SparseAdam for sparse ones."""

    def __init__(self, dense: Iterable[Tensor], sparse: Iterable[Tensor], *, lr: float, weight_decay: float) -> None:
        """Share the parameters out.

        Args:
            dense: with ordinary gradients; may be empty.
            sparse: with sparse ones, at least one.
            lr: learning rate of both.
            weight_decay: of the dense ones.
        """
        dense = list(dense)
        self.each: list[Optimizer] = [SparseAdam(list(sparse), lr=lr)]
        if dense:
            self.each.append(AdamW(dense, lr=lr, weight_decay=weight_decay, fused=True))
        super().__init__([group for part in self.each for group in part.param_groups], {})
        self._share()

    def _share(self) -> None:
        """Let the parts work on this optimizer's own groups and state."""
        groups = iter(self.param_groups)
        for part in self.each:
            part.param_groups = [next(groups) for _ in part.param_groups]
            part.state = self.state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._share()

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of both."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self.each:
            part.step()
        return loss
