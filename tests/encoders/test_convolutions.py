"""Caser and NextItNet against plain loops over windows and positions."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from research.encoders.caser import Caser
from research.encoders.nextitnet import NextItNet
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("items", [1, 3, 5])
def test_caser(ragged, shaken, same_by_prefix, items: int) -> None:
    encoder = shaken(Caser(Sizes(6, 7), items=items, horizontal=2, vertical=3))

    def naive(x_LD, time_L, user):
        image_LD = torch.zeros(items, 6, dtype=torch.float64)
        for place, x in enumerate(reversed(x_LD[-items:])):
            image_LD[items - 1 - place] = x * 6**0.5
        found = []
        for n in range(3):
            weight_L = encoder.vertical.weight[n, 0, :, 0]
            for d in range(6):
                found.append(sum(weight_L[j] * image_LD[j, d] for j in range(items)) + encoder.vertical.bias[n])
        for height in range(1, items + 1):
            conv = encoder.horizontal[height - 1]
            for n in range(2):
                places = [
                    sum(conv.weight[n, :, j] @ image_LD[top + j] for j in range(height)) + conv.bias[n]
                    for top in range(items - height + 1)
                ]
                found.append(max(F.relu(place) for place in places))
        return F.relu(encoder.out.weight @ torch.stack(found) + encoder.out.bias)

    same_by_prefix(encoder, ragged, naive)


def test_nextitnet(ragged, shaken, same_by_prefix) -> None:
    encoder = shaken(NextItNet(Sizes(6, 7), rounds=2, blocks=2, kernel=2))
    dilations = [1, 2, 4, 8, 1, 2, 4, 8]
    layers = [layer for block in encoder.blocks for layer in block]
    assert [layer.conv.dilation for layer in layers] == [(d,) for d in dilations]
    assert encoder.reach == 1 + sum(dilations)

    def convolved(layer, dilation: int, h_L):
        out = []
        for t in range(len(h_L)):
            total = layer.conv.bias.clone()
            for tap in range(2):  # the last tap is the position itself
                source = t - dilation * (1 - tap)
                if source >= 0:
                    total += layer.conv.weight[:, :, tap] @ h_L[source]
            normed = (total - total.mean()) / (total.var(unbiased=False) + layer.norm.eps).sqrt()
            out.append(F.relu(normed * layer.norm.weight + layer.norm.bias))
        return out

    def naive(x_LD, time_L, user):
        h_L = list(x_LD * 6**0.5)
        for first in range(0, len(layers), 2):
            inner_L = convolved(layers[first], dilations[first], h_L)
            inner_L = convolved(layers[first + 1], dilations[first + 1], inner_L)
            h_L = [h + inner for h, inner in zip(h_L, inner_L, strict=True)]
        return encoder.out.weight @ h_L[-1] + encoder.out.bias

    same_by_prefix(encoder, ragged, naive)


def test_values_out_of_range() -> None:
    with pytest.raises(UserError, match=r"items=0"):
        Caser(Sizes(6), items=0)
    with pytest.raises(UserError, match=r"kernel=1"):
        NextItNet(Sizes(6), kernel=1)
