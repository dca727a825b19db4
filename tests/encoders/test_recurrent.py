"""GRU and LSTM against torch's packed sequences, where padding cannot take part.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from research.encoders.gru import GRU
from research.encoders.lstm import LSTM
from research.encoders.recurrent import Recurrent
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("kind", "cell"), [(GRU, torch.nn.GRU), (LSTM, torch.nn.LSTM)])
class TestTwin:
    def test_packed(self, kind: type[Recurrent], cell: Callable[..., torch.nn.RNNBase], layers: int) -> None:
        torch.manual_seed(0)
        encoder = kind(Sizes(8, 12), layers=layers).eval()
        reference = cell(8, 8, layers, batch_first=True)
        reference.load_state_dict(encoder.cell.state_dict())
        x_BTD, length_B = torch.randn(4, 12, 8), torch.tensor([12, 1, 7, 5])
        # Item vectors start small (std .02) and are read at the scale of one over the root of the width.
        packed = pack_padded_sequence(x_BTD * 8**0.5, length_B, batch_first=True, enforce_sorted=False)
        expected_BTD, _ = pad_packed_sequence(reference(packed)[0], batch_first=True)
        got_BTD = encoder.encode(Rows(x_BTD, length_B))
        for row, n in enumerate(length_B.tolist()):
            torch.testing.assert_close(got_BTD[row, :n], expected_BTD[row, :n], rtol=0, atol=1e-6)


def test_without_layers_there_is_no_encoder() -> None:
    with pytest.raises(UserError, match=r"layers=0.*at least 1"):
        GRU(Sizes(8, 12), layers=0)
    with pytest.raises(UserError, match=r"dropout=1\.0"):
        LSTM(Sizes(8, 12), dropout=1.0)
