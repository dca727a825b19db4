"""A recurrent cell over many short chains that overlap, on a CPU.

The window "last k" begins nearly everywhere, so a token takes part in k chains. Torch's cell on gathered chains
projects each token k times and works through tensors far larger than the cache. Here a token is projected once, for
all its chains; a block of chains takes its steps while its rows are in the cache; and the backward pass is written by
hand (``steps.py`` has the formulas). Chains are sorted by length, so a step works on those that still run, and nothing
is padding. Sums have a fixed order: a rerun gives the same bytes.

Shape legend: S tokens, N asked positions, C chains, J steps of all blocks one after the other, E rows of all steps,
R rows of one step, D width, G gate columns, P those that the state reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from research.encoders.chains import Runs
from research.encoders.steps import Step

ROWS = 1024
"""Chains of a block for each thread. Of width 64 they have 1 MB of gates: a step stays in a second-level cache."""


@dataclass(frozen=True)
class Plan:
    """Who takes which step when. The running chains of a step are always the first ones of its block."""

    first_C: Tensor
    """First token of each chain, the longest chain first."""
    steps_J: list[tuple[int, int, int]]
    """First chain of the block, step within its chains, running chains."""
    state_N: Tensor
    """Which of the E rows is the asked state."""
    row_N: Tensor
    """Which row of its step that is."""
    order_N: Tensor
    """The asked positions in the order of the rows."""
    asked_J: list[int]
    """How many are read from each step."""

    @staticmethod
    def of(runs: Runs, rows: int) -> Plan:
        """Plan for blocks of ``rows`` chains whose elements are consecutive tokens."""
        length_C, order_C = runs.length_A.sort(descending=True, stable=True)
        place_A = torch.empty_like(order_C)
        place_A[order_C] = torch.arange(len(order_C))
        block_N, row_N = place_A[runs.chain_N] // rows, place_A[runs.chain_N] % rows
        longest = int(length_C[0])
        n_blocks = -(-len(length_C) // rows)
        # Flat (block, step): how many chains end there, how many run there, how many rows come before.
        last = torch.arange(len(length_C)) // rows * longest + length_C - 1
        ending = torch.bincount(last, minlength=n_blocks * longest).view(n_blocks, longest)
        running = ending.flip(1).cumsum(1).flip(1).flatten()
        begin = running.cumsum(0) - running
        step_N = block_N * longest + runs.offset_N
        asked = torch.bincount(step_N, minlength=len(running))
        state_N = begin[step_N] + row_N
        return Plan(
            first_C=runs.first_A[order_C],
            steps_J=[(i // longest * rows, i % longest, n) for i, n in enumerate(running.tolist()) if n],
            state_N=state_N,
            row_N=row_N,
            order_N=state_N.argsort(),
            asked_J=asked[running > 0].tolist(),
        )


def windowed(gate_SG: Tensor, weight_PD: Tensor, runs: Runs, step: type[Step]) -> Tensor:
    """States of the asked positions.

    Args:
        gate_SG: what each token brings to the gates, biases included.
        weight_PD: weights of the state, for the first columns.
        runs: the chains; ``first_A`` counts tokens.
        step: the cell.

    Returns:
        ``(N, D)`` states in the order that was asked for.
    """
    return _Windowed.apply(gate_SG.to(weight_PD.dtype), weight_PD, Plan.of(runs, ROWS * torch.get_num_threads()), step)


class _Windowed(torch.autograd.Function):
    """Kept for the backward pass are the finished gates and the states: computing them again takes longer."""

    @staticmethod
    def forward(ctx: Any, gate_SG: Tensor, weight_PD: Tensor, plan: Plan, step: type[Step]) -> Tensor:
        p, d = weight_PD.shape
        sizes_J = [n for _, _, n in plan.steps_J]
        gate_EG = gate_SG.new_empty(sum(sizes_J), gate_SG.shape[1])
        carried_ED = [gate_SG.new_empty(len(gate_EG), d) for _ in range(step.carried)]
        zero_RD = gate_SG.new_zeros(max(sizes_J), d)
        # All views of a kind come from one split; slicing in the loop would take longer than some of its arithmetic.
        gate_J, product_J = gate_EG.split(sizes_J), gate_EG[:, :p].split(sizes_J)
        logistic_J = gate_EG[:, : step.logistic * d].split(sizes_J)
        columns_J, carried_J = _by_step(gate_EG.chunk(4, dim=1), sizes_J), _by_step(carried_ED, sizes_J)
        for j, (chain, t, n) in enumerate(plan.steps_J):
            torch.index_select(gate_SG, 0, plan.first_C[chain : chain + n] + t, out=gate_J[j])
            before = [x[:n] for x in carried_J[j - 1]] if t else [zero_RD[:n]] * step.carried
            if t:
                product_J[j].addmm_(before[0], weight_PD.t())
            logistic_J[j].sigmoid_()
            step.forward(columns_J[j], before, carried_J[j])
        ctx.save_for_backward(weight_PD, gate_EG, *carried_ED)
        ctx.plan, ctx.step, ctx.n_tokens = plan, step, len(gate_SG)
        return carried_ED[0].index_select(0, plan.state_N)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        weight_PD, gate_EG, *carried_ED = ctx.saved_tensors
        plan, step = ctx.plan, ctx.step
        p, d = weight_PD.shape
        sizes_J = [n for _, _, n in plan.steps_J]
        columns_J, carried_J = _by_step(gate_EG.chunk(4, dim=1), sizes_J), _by_step(carried_ED, sizes_J)
        row_J = plan.row_N[plan.order_N].split(plan.asked_J)
        d_state_J = grad_outputs[0][plan.order_N].split(plan.asked_J)
        d_gate_SG = gate_EG.new_zeros(ctx.n_tokens, gate_EG.shape[1])
        d_weight_DP = weight_PD.new_zeros(d, p)  # this way round the product takes a sixth less
        d_gate = gate_EG.new_empty(max(sizes_J), gate_EG.shape[1])
        zero, spare, *d_carried = gate_EG.new_zeros(2 + step.carried, len(d_gate), d)
        d_gate_RG = d_product_RP = d_gate[:0]
        d_columns = d_now = zeros = [spare[:0]]
        block_ends = True
        for j in reversed(range(len(sizes_J))):
            chain, t, n = plan.steps_J[j]
            if n != len(d_gate_RG):  # mostly the views of the step that was just done fit
                d_gate_RG, d_product_RP = d_gate[:n], d_gate[:n, :p]
                d_columns, zeros = d_gate_RG.chunk(4, dim=1), [zero[:n]] * step.carried
                d_now = [x[:n] for x in d_carried]
            if block_ends:
                for x in d_carried:
                    x.zero_()
            if plan.asked_J[j]:
                d_now[0].index_add_(0, row_J[j], d_state_J[j])
            before = [x[:n] for x in carried_J[j - 1]] if t else zeros
            step.backward(columns_J[j], before, carried_J[j], d_columns, d_now, spare[:n])
            d_gate_SG.index_add_(0, plan.first_C[chain : chain + n] + t, d_gate_RG)
            if t:
                d_now[0].addmm_(d_product_RP, weight_PD)
                d_weight_DP.addmm_(before[0].t(), d_product_RP)
            block_ends = t == 0
        return d_gate_SG, d_weight_DP.t(), None, None


def _by_step(tensors: Sequence[Tensor], sizes_J: list[int]) -> list[tuple[Tensor, ...]]:
    return list(zip(*(x.split(sizes_J) for x in tensors), strict=True))
