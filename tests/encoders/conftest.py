"""What the encoders' own tests share: ragged rows, weights that are not their initial ones, and a check by prefixes.

Shape legend: B rows, T positions, D width, L positions of a prefix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from torch import Tensor, nn

    from research.encoders.base import Encoder
    from research.encoders.rows import Rows

Naive = Callable[["Tensor", "Tensor", int], "Tensor"]
"""From the items ``(L, D)``, the times ``(L,)`` and the user of one prefix to the state of its last position."""


@pytest.fixture
def ragged() -> Rows:
    """Three rows of 7, 1 and 4 items of width 6 in float64, of the users 2, 0 and 1; wild numbers behind the ends.

    What follows position t is asked for 40 (t + 1)^2 seconds after it.
    """
    import torch

    from research.encoders.rows import Rows

    random = torch.Generator().manual_seed(3)
    x_BTD = torch.randn(3, 7, 6, generator=random, dtype=torch.float64) * 0.5
    length_B = torch.tensor([7, 1, 4])
    behind_BT = torch.arange(7) >= length_B[:, None]
    times_BT = torch.tensor([0, 30, 30, 4_000, 90_000, 400_000, 3_000_000]) + torch.tensor([[0], [7], [50]])
    now_BT = times_BT + 40 * torch.arange(1, 8).square()
    x_BTD = x_BTD.masked_fill(behind_BT[:, :, None], 1e3)
    return Rows(x_BTD, length_B, times_BT, torch.tensor([2, 0, 1]), now_BT=now_BT)


@pytest.fixture
def shaken() -> Callable[[nn.Module], nn.Module]:
    """Draw all weights anew, so that biases and norms, which often begin at 0 and 1, cannot be forgotten unseen."""
    import torch

    def shake(module):
        random = torch.Generator().manual_seed(4)
        with torch.no_grad():
            for weight in module.parameters():
                weight.copy_(torch.randn(weight.shape, generator=random) * 0.4)
        return module.double().eval()

    return shake


@pytest.fixture
def same_by_prefix() -> Callable[[Encoder, Rows, Naive], None]:
    """Compare every state, however it is asked for, with a plain computation on its prefix alone."""
    import torch

    from research.data.batch import Positions

    def check(encoder: Encoder, rows: Rows, naive: Naive) -> None:
        assert rows.times_BT is not None and rows.users_B is not None
        got_BTD = encoder.encode(rows)
        expected = {}
        for row, length in enumerate(rows.length_B.tolist()):
            for t in range(length):
                prefix = rows.x_BTD[row, : t + 1], rows.times_BT[row, : t + 1], int(rows.users_B[row])
                expected[row, t] = naive(*prefix)
                torch.testing.assert_close(got_BTD[row, t], expected[row, t], rtol=0, atol=1e-9)
        # One state a row, at the end and within; then several of some rows.
        for position in (rows.length_B - 1, torch.tensor([2, 0, 3])):
            at = Positions(torch.arange(3), position)
            for n, state in enumerate(encoder(rows, at)):
                torch.testing.assert_close(state, expected[n, int(position[n])], rtol=0, atol=1e-9)
        at = Positions(torch.tensor([0, 0, 2]), torch.tensor([1, 5, 2]))
        for n, state in enumerate(encoder(rows, at)):
            torch.testing.assert_close(state, expected[int(at.row_N[n]), int(at.position_N[n])], rtol=0, atol=1e-9)

    return check
