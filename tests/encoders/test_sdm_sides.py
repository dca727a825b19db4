"""Both sides of SDM: torch's own cells and attention with the same weights, and loops for what the user does."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from research.encoders.sdm_long import SdmLong
from research.encoders.sdm_short import SdmShort
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(("layers", "heads"), [(1, 1), (2, 3), (3, 2)])
def test_short(ragged, shaken, same_by_prefix, layers: int, heads: int) -> None:
    encoder = shaken(SdmShort(Sizes(6, 7, n_users=3), layers=layers, heads=heads))
    attention = nn.MultiheadAttention(6, heads, batch_first=True).double()
    attention.load_state_dict(
        {f"in_proj_{k}": v for k, v in encoder.qkv.state_dict().items()}
        | {f"out_proj.{k}": v for k, v in encoder.out.state_dict().items()}
    )

    def naive(x_LD, time_L, user):
        above = list(x_LD * 6**0.5)
        for layer, cell in enumerate(encoder.cells):
            step = nn.LSTMCell(6, 6).double()
            step.load_state_dict({name.removesuffix("_l0"): weight for name, weight in cell.state_dict().items()})
            state, read = (torch.zeros(6), torch.zeros(6)), []
            state = tuple(part.double() for part in state)
            for x in above:
                state = step(x, state)
                read.append(state[0] + x if layer else state[0])
            above = read
        z = []
        for s in range(len(above)):
            met = torch.stack(above[: s + 1])[None]
            r = above[s] + attention(met[:, -1:], met, met, need_weights=False)[0][0, 0]
            centred = r - r.mean()
            z.append(centred / (centred.square().mean() + 1e-5).sqrt() * encoder.norm.weight + encoder.norm.bias)
        asks = torch.tanh(encoder.query.weight @ (encoder.users.weight[user] * 6**0.5) + encoder.query.bias)
        weights = [torch.exp(asks @ state / 6**0.5) for state in z]
        return sum(w / sum(weights) * state for w, state in zip(weights, z, strict=True))

    same_by_prefix(encoder, ragged, naive)


def test_long(ragged, shaken, same_by_prefix) -> None:
    encoder = shaken(SdmLong(Sizes(6, 7, n_users=3)))
    w = torch.cat([encoder.of_user.weight[0], encoder.of_item.weight[0]])

    def naive(x_LD, time_L, user):
        u, x = encoder.users.weight[user] * 6**0.5, x_LD * 6**0.5
        weights = [torch.exp(torch.tanh(w @ torch.cat([u, item]) + encoder.of_user.bias[0]) / 6**0.5) for item in x]
        pooled = sum(weight / sum(weights) * item for weight, item in zip(weights, x, strict=True))
        return torch.tanh(encoder.out.weight @ pooled + encoder.out.bias)

    same_by_prefix(encoder, ragged, naive)


@pytest.mark.parametrize(("settings", "words"), [({"layers": 0}, "layers=0"), ({"heads": 4}, "heads=4 does not")])
def test_settings_out_of_range(settings: dict, words: str) -> None:
    with pytest.raises(UserError, match=words):
        SdmShort(Sizes(6), **settings)
