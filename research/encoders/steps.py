"""One step of a recurrent cell, forward and backward, written out for ``windowed.py``.

All work is in place on rows that fit into the processor's cache. The gates of a step are four columns of width D. On
entry they hold what the token brings (its projection and all biases), written ``x`` below, plus, except in a chain's
first step, the product ``W h`` with the state before. With ``s`` the logistic function, ``*`` by element, and ``d(.)``
the loss's derivative, that of a gate being taken before its non-linearity:

GRU, columns r z m n, where ``W`` reaches r z m::

    r = s(x + W h)   z = s(x + W h)   m = b + W h   n = tanh(x + r * m)   h' = n + z * (h - n)
    d(n) = d(h') * (1 - z) * (1 - n^2)
    d(z) = d(h') * (h - n) * z * (1 - z) = d(h') * (1 - z) * (h' - n)
    d(r) = d(n) * m * r * (1 - r)
    d(m) = d(n) * r
    d(h) = d(h') * z + W' [d(r) d(z) d(m)]

LSTM, columns i f o g, where ``W`` reaches all::

    i, f, o = s(x + W h)   g = tanh(x + W h)   c' = f * c + i * g   h' = o * tanh(c')
    d(o) = d(h') * tanh(c') * o * (1 - o)
    d(c') gains d(h') * o * (1 - tanh(c')^2)
    d(i) = d(c') * g * i * (1 - i)
    d(f) = d(c') * c * f * (1 - f)
    d(g) = d(c') * i * (1 - g^2)
    d(c) = d(c') * f
    d(h) = W' [d(i) d(f) d(o) d(g)]

Shape legend: R rows, D width, G = 4 D gate columns, P those that ``W`` reaches (they come first).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

Views = Sequence[Tensor]
"""Tensors ``(R, D)``: the four gates by column, or what is carried from step to step (``h``, or ``h`` and ``c``)."""

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input


def tanh_(x: Tensor) -> Tensor:
    """``tanh`` in place, as ``2 s(2 x) - 1``, off by 2e-7 at most: torch's own takes three times as long."""
    return x.mul_(2).sigmoid_().mul_(2).sub_(1)


class Step(ABC):
    """The arithmetic of a cell; it holds nothing."""

    carried: ClassVar[int]
    """How many vectors go from step to step; the first is the state."""
    logistic: ClassVar[int]
    """How many of the four columns are logistic gates; they come first."""

    @staticmethod
    @abstractmethod
    def weights(cell: nn.RNNBase) -> tuple[Tensor, Tensor, Tensor]:
        """Torch's parameters by column: ``(G, D)`` for the token, ``(G,)`` biases, ``(P, D)`` for the state."""

    @staticmethod
    @abstractmethod
    def forward(gates: Views, before: Views, after: Views) -> None:
        """Finish the gates, whose logistic ones are done, and write what is carried on."""

    @staticmethod
    @abstractmethod
    def backward(gates: Views, before: Views, after: Views, d_gates: Views, d_carried: Views, spare_RD: Tensor) -> None:
        """Write the gates' derivatives and turn ``d_carried`` from that of ``after`` into that of ``before``.

        The part of ``d(h)`` that goes through ``W`` is left to the caller.
        """


class GRUStep(Step):
    """Gated recurrent unit; ``m`` is the part of the new gate that ``r`` lets through."""

    carried: ClassVar[int] = 1
    logistic: ClassVar[int] = 2

    @staticmethod
    def weights(cell: nn.RNNBase) -> tuple[Tensor, Tensor, Tensor]:
        w_token, w_state, b_token, b_state = cell.all_weights[0]
        columns = [2 * cell.hidden_size, cell.hidden_size]
        w_rz, w_n = w_token.split(columns)
        b_rz, b_n = b_token.split(columns)
        b_state_rz, b_m = b_state.split(columns)
        weight_GD = torch.cat([w_rz, torch.zeros_like(w_n), w_n])  # a token brings nothing but a bias to m
        return weight_GD, torch.cat([b_rz + b_state_rz, b_m, b_n]), w_state

    @staticmethod
    def forward(gates: Views, before: Views, after: Views) -> None:
        r, z, m, n = gates
        tanh_(n.addcmul_(r, m))
        torch.lerp(n, before[0], z, out=after[0])

    @staticmethod
    def backward(gates: Views, before: Views, after: Views, d_gates: Views, d_carried: Views, spare_RD: Tensor) -> None:
        r, z, m, n = gates
        d_r, d_z, d_m, d_n = d_gates
        d_h = d_carried[0]
        torch.addcmul(d_h, d_h, z, value=-1, out=d_n)
        torch.sub(after[0], n, out=d_z).mul_(d_n)
        _tanh_backward(d_n, n, grad_input=d_n)
        torch.mul(d_n, m, out=d_r)
        _sigmoid_backward(d_r, r, grad_input=d_r)
        torch.mul(d_n, r, out=d_m)
        d_h.mul_(z)


class LSTMStep(Step):
    """Long short-term memory."""

    carried: ClassVar[int] = 2
    logistic: ClassVar[int] = 3

    @staticmethod
    def weights(cell: nn.RNNBase) -> tuple[Tensor, Tensor, Tensor]:
        def by_column(ifgo: Tensor) -> Tensor:
            i, f, g, o = ifgo.chunk(4)
            return torch.cat([i, f, o, g])

        w_token, w_state, b_token, b_state = cell.all_weights[0]
        return by_column(w_token), by_column(b_token + b_state), by_column(w_state)

    @staticmethod
    def forward(gates: Views, before: Views, after: Views) -> None:
        i, f, o, g = gates
        h, c = after
        torch.mul(before[1], f, out=c).addcmul_(i, tanh_(g))
        tanh_(h.copy_(c)).mul_(o)

    @staticmethod
    def backward(gates: Views, before: Views, after: Views, d_gates: Views, d_carried: Views, spare_RD: Tensor) -> None:
        i, f, o, g = gates
        d_i, d_f, d_o, d_g = d_gates
        d_h, d_c = d_carried
        tanh_(spare_RD.copy_(after[1]))
        torch.mul(d_h, spare_RD, out=d_o)
        _sigmoid_backward(d_o, o, grad_input=d_o)
        d_h.mul_(o)
        d_c.add_(_tanh_backward(d_h, spare_RD, grad_input=d_h))
        torch.mul(d_c, g, out=d_i)
        _sigmoid_backward(d_i, i, grad_input=d_i)
        torch.mul(d_c, before[1], out=d_f)
        _sigmoid_backward(d_f, f, grad_input=d_f)
        torch.mul(d_c, i, out=d_g)
        _tanh_backward(d_g, g, grad_input=d_g)
        d_c.mul_(f)
        d_h.zero_()
