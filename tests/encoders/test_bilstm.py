"""The bidirectional LSTM against one step at a time in both directions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from research.encoders.bilstm import BiLSTM
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


def one_direction(cell: nn.LSTM, layer: int, suffix: str, x_L: list[torch.Tensor]) -> list[torch.Tensor]:
    step = nn.LSTMCell(x_L[0].numel(), cell.hidden_size).double()
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        getattr(step, name).data = getattr(cell, f"{name}_l{layer}{suffix}").data
    h = c = torch.zeros(cell.hidden_size, dtype=torch.float64)
    found = []
    for x in x_L:
        h, c = step(x, (h, c))
        found.append(h)
    return found


@pytest.mark.parametrize("layers", [1, 2])
def test_steps_in_both_directions(ragged, shaken, layers: int) -> None:
    encoder = shaken(BiLSTM(Sizes(6, 7), layers=layers))
    got_BTD = encoder.encode(ragged)
    for row, n in enumerate(ragged.length_B.tolist()):
        h_L = list(ragged.x_BTD[row, :n] * 6**0.5)
        for layer in range(layers):
            forward = one_direction(encoder.cell, layer, "", h_L)
            backward = one_direction(encoder.cell, layer, "_reverse", h_L[::-1])[::-1]
            h_L = [torch.cat(pair) for pair in zip(forward, backward, strict=True)]
        for t, h in enumerate(h_L):
            expected_D = encoder.out.weight @ h + encoder.out.bias
            torch.testing.assert_close(got_BTD[row, t], expected_D, rtol=0, atol=1e-9)


def test_without_layers_there_is_no_encoder() -> None:
    with pytest.raises(UserError, match=r"layers=0"):
        BiLSTM(Sizes(6), layers=0)
