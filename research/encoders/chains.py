"""Windows as chains: runs of consecutive positions of one row, gathered so that an encoder sees nothing else.

All asked positions whose windows begin at the same place form one chain of a causal encoder: its states along the
chain are exactly the states of those windows. One session is one chain; the window "last k" has a chain for nearly
every position. Chains are grouped by length, so that little padding is computed.

Shape legend: B rows, T positions of a row, N asked positions, C chains of a group, L its longest chain, M asked
positions that are read from the group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from research.data.batch import Positions


@dataclass(frozen=True)
class Chains:
    """Chains of similar length. Flat means ``row * T + position``, or ``chain * L + step`` for states."""

    element_CL: Tensor
    """Flat index of every element; behind a chain's length it is arbitrary but valid."""
    length_C: Tensor
    asked_M: Tensor
    """Which asked positions are read from this group, as indices into N."""
    state_M: Tensor
    """Where the state of each stands, flat."""


def chains(at: Positions, start_N: Tensor, shape: tuple[int, int], *, share: bool) -> Iterator[Chains]:
    """Group the windows ``[start, position]`` of the asked positions into chains.

    Args:
        at: the asked positions, sorted by row, then position.
        start_N: first position of each window.
        shape: ``(B, T)`` of the rectangle that positions refer to.
        share: let windows with one start share a chain; wrong for a bidirectional encoder, whose states
            depend on where the window ends.
    """
    n_rows, t = shape
    first_N = at.row_N * t + start_N
    offset_N = at.position_N - start_N
    if share:
        first_A, chain_N = torch.unique_consecutive(first_N, return_inverse=True)
        length_A = torch.zeros_like(first_A).scatter_reduce(0, chain_N, offset_N + 1, "amax")
    else:
        first_A, chain_N, length_A = first_N, torch.arange(len(first_N), device=first_N.device), offset_N + 1
    # Powers of two: at most half of a group is padding.
    group_A = torch.ceil(torch.log2(length_A.double())).long()
    for group in group_A.unique().tolist():
        chosen_C = (group_A == group).nonzero().squeeze(1)
        asked_M = (group_A[chain_N] == group).nonzero().squeeze(1)
        length_C = length_A[chosen_C]
        step_L = torch.arange(int(length_C.max()), device=first_N.device)
        local_A = torch.zeros_like(group_A)
        local_A[chosen_C] = torch.arange(len(chosen_C), device=first_N.device)
        yield Chains(
            element_CL=(first_A[chosen_C][:, None] + step_L).clamp(max=n_rows * t - 1),
            length_C=length_C,
            asked_M=asked_M,
            state_M=local_A[chain_N[asked_M]] * len(step_L) + offset_N[asked_M],
        )
