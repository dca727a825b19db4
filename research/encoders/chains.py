"""Windows as chains: runs of consecutive positions of one row, gathered so that an encoder sees nothing else.

All asked positions whose windows begin at the same place form one chain of a causal encoder: its states along the
chain are exactly the states of those windows. One session is one chain; the window "last k" has a chain for nearly
every position. Chains are grouped by length, so that little padding is computed.

Shape legend: B rows, T positions of a row, N asked positions, A all chains, C chains of a group, L its longest chain,
M asked positions that are read from the group, S elements that are in a chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from research.data.batch import Positions


@dataclass(frozen=True)
class Chains:
    """Chains of similar length. Flat means ``row * T + position``."""

    element_CL: Tensor
    """Flat index of every element; behind a chain's length it is arbitrary but valid."""
    length_C: Tensor
    asked_M: Tensor
    """Which asked positions are read from this group, as indices into N."""
    at: Positions
    """Where the state of each stands: chain and step, sorted as positions are."""
    representative_C: Tensor
    """One asked position of each chain, as an index into N."""


@dataclass(frozen=True)
class Runs:
    """All chains, and where each asked position stands."""

    first_A: Tensor
    """Flat index of the first element of each."""
    length_A: Tensor
    chain_N: Tensor
    """The chain of each asked position."""
    offset_N: Tensor
    """Its step in that chain."""

    def among_used(self, n_elements: int) -> tuple[Tensor, Runs]:
        """Leave out the elements that are in no chain.

        Args:
            n_elements: how many there are, ``B * T``.

        Returns:
            Flat indices of the S elements that are left, and the chains with ``first_A`` counted among those.
        """
        one_A = torch.ones_like(self.first_A)
        covered = self.first_A.new_zeros(n_elements + 1)
        covered.index_add_(0, self.first_A, one_A).index_add_(0, self.first_A + self.length_A, -one_A)
        used = covered[:-1].cumsum(0) > 0
        return used.nonzero().squeeze(1), replace(self, first_A=(used.cumsum(0) - 1)[self.first_A])


def runs(at: Positions, start_N: Tensor, t: int, *, share: bool) -> Runs:
    """Find the chains; arguments as for ``chains``, with rows of ``t`` positions."""
    first_N = at.row_N * t + start_N
    offset_N = at.position_N - start_N
    if not share:
        return Runs(first_N, offset_N + 1, torch.arange(len(first_N), device=first_N.device), offset_N)
    first_A, chain_N = torch.unique_consecutive(first_N, return_inverse=True)
    length_A = torch.zeros_like(first_A).scatter_reduce(0, chain_N, offset_N + 1, "amax")
    return Runs(first_A, length_A, chain_N, offset_N)


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
    all_runs = runs(at, start_N, t, share=share)
    first_A, length_A, chain_N, offset_N = all_runs.first_A, all_runs.length_A, all_runs.chain_N, all_runs.offset_N
    # Powers of two: at most half of a group is padding.
    group_A = torch.ceil(torch.log2(length_A.double())).long()
    for group in group_A.unique().tolist():
        chosen_C = (group_A == group).nonzero().squeeze(1)
        asked_M = (group_A[chain_N] == group).nonzero().squeeze(1)
        length_C = length_A[chosen_C]
        step_L = torch.arange(int(length_C.max()), device=first_A.device)
        local_A = torch.zeros_like(group_A)
        local_A[chosen_C] = torch.arange(len(chosen_C), device=first_A.device)
        local_M = local_A[chain_N[asked_M]]
        yield Chains(
            element_CL=(first_A[chosen_C][:, None] + step_L).clamp(max=n_rows * t - 1),
            length_C=length_C,
            asked_M=asked_M,
            at=Positions(local_M, offset_N[asked_M]),
            representative_C=torch.empty_like(chosen_C).scatter_(0, local_M, asked_M),
        )
