"""Cross-entropy over the whole catalogue, never holding (positions x items) scores.

Two kernels compute the same loss. ``portable`` is torch's chunked ``linear_cross_entropy``. ``fused`` forms the
gradient in the forward pass, chunk by chunk. Where the processor multiplies bfloat16 in hardware it takes the three
matrix products and the softmax between them in bfloat16; sums, the target's own part of the gradient and the weights
stay in float32, and it agrees with the first within bfloat16 rounding.

Shape legend: N supervised positions, D width, I items, V rows of the item table, C positions of a chunk.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import LinearCrossEntropyOptions
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from research.errors import UserError
from research.fusion.base import Fused
from research.items.base import ItemTable
from research.losses.base import Loss

ROWS = 128
"""Positions are filled up to a multiple of this."""
BF16 = ("amx_bf16", "avx512_bf16")
"""Instructions with which a processor multiplies bfloat16, as torch names them."""


class CrossEntropy(Loss):
    """``-log softmax(interest . items)[target]``, summed over positions."""

    def __init__(
        self,
        count_I: Tensor,
        *,
        kernel: Literal["auto", "portable", "fused"] = "auto",
        precision: Literal["auto", "fp32", "bf16"] = "auto",
        chunk: int = 1024,
    ) -> None:
        """Choose the kernel.

        Args:
            count_I: not used; no item is drawn.
            kernel: ``auto`` is ``fused``.
            precision: of the fused kernel's products; ``auto`` is bf16 on a CPU that has instructions for it
                and fp32 elsewhere.
            chunk: positions whose scores exist at one time.

        Raises:
            UserError: the chunk is below 1.
        """
        super().__init__()
        if chunk < 1:
            raise UserError(f"loss.chunk={chunk}: at least one position is scored at a time.")
        self.fused = kernel != "portable"
        self.precision = precision
        self.chunk = chunk

    def forward(self, fused: Fused, target_N: Tensor, items: ItemTable) -> Tensor:
        if not fused.dot:
            return self._candidate_by_candidate(fused, target_N, items.candidates())
        if not self.fused:
            options = LinearCrossEntropyOptions(batch_chunk_size=self.chunk)
            return F.linear_cross_entropy(
                fused.interest_ND, items.candidates(), target_N, reduction="sum", options=options
            )
        table_VD, first = items.matrix()
        return _FusedCrossEntropy.apply(
            fused.interest_ND, table_VD, target_N, first, items.n_items, self.chunk, self.in_bf16(table_VD.device)
        )

    def in_bf16(self, device: torch.device) -> bool:
        """Whether the fused kernel's products are in bfloat16 there."""
        if self.precision != "auto" or device.type != "cpu":
            return self.precision == "bf16"
        return any(torch.cpu.get_capabilities().get(name, False) for name in BF16)

    def _candidate_by_candidate(self, fused: Fused, target_N: Tensor, candidates_ID: Tensor) -> Tensor:
        """Scores of a chunk are computed again in the backward pass instead of being kept."""

        def of_chunk(chosen: slice) -> Tensor:
            return F.cross_entropy(fused.rows(chosen).score(candidates_ID), target_N[chosen], reduction="sum")

        # Such scores cost several numbers a candidate: a smaller chunk holds about as many bytes.
        size = max(1, self.chunk // 16)
        chunks = [slice(i, i + size) for i in range(0, len(fused), size)]
        return torch.stack([checkpoint(of_chunk, c, use_reentrant=False) for c in chunks]).sum()  # type: ignore[arg-type]


class _FusedCrossEntropy(torch.autograd.Function):
    """Gradients are formed while the scores of a chunk are at hand; backward only scales them."""

    @staticmethod
    def forward(
        ctx: Any, h_ND: Tensor, table_VD: Tensor, target_N: Tensor, first: int, count: int, chunk: int, bf16: bool
    ) -> Tensor:
        kind = torch.bfloat16 if bf16 else h_ND.dtype
        n, w_ID = len(h_ND), table_VD[first : first + count]
        # Rows of zeros behind the end, whose gradients vanish: oneDNN compiles and keeps a kernel for every shape it
        # meets, and a last chunk of ever new length would double the time of an epoch (MovieLens-100K) and leak memory.
        h_low_ND = F.pad(h_ND.to(kind), (0, 0, 0, -n % ROWS))
        w_low_ID = w_ID.to(kind)
        w_low_DI = w_low_ID.t().contiguous()
        grad_h_ND = torch.empty_like(h_low_ND, dtype=h_ND.dtype)
        grad_w_DI: Tensor | None = None
        p_target_N = h_ND.new_empty(n)
        for i in range(0, n, chunk):
            c = slice(i, i + chunk)
            p_CI = torch.mm(h_low_ND[c], w_low_DI)
            torch.softmax(p_CI, dim=1, out=p_CI)
            p_target_N[c] = p_CI[: n - i].gather(1, target_N[c, None]).squeeze(1)
            grad_h_ND[c] = torch.mm(p_CI, w_low_ID)
            part_DI = torch.mm(h_low_ND[c].t().contiguous(), p_CI)
            grad_w_DI = part_DI if grad_w_DI is None else grad_w_DI.to(w_ID.dtype).add_(part_DI)
        assert grad_w_DI is not None
        # The gradient is that of (p - one-hot); the one-hot part is exact and never meets the (C, I) scores.
        grad_h_ND = grad_h_ND[:n] - F.embedding(target_N, w_ID)
        # Of the whole table at once: autograd's way back through a slice would be two passes more.
        grad_VD = torch.empty_like(table_VD)
        grad_VD[:first] = 0
        grad_VD[first + count :] = 0
        grad_w_ID = grad_VD[first : first + count]
        grad_w_ID.copy_(grad_w_DI.t()).index_add_(0, target_N, h_ND, alpha=-1)
        ctx.save_for_backward(grad_h_ND, grad_VD)
        # A probability that underflows would make the loss infinite; the smallest float stands in.
        return -p_target_N.clamp(min=torch.finfo(h_ND.dtype).tiny).log().sum()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        grad_h_ND, grad_VD = ctx.saved_tensors
        return grad_h_ND * grad_outputs[0], grad_VD * grad_outputs[0], None, None, None, None, None
