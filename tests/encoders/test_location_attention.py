"""FISSA's global side against loops over heads and items."""

from __future__ import annotations

import pytest
import torch

from research.encoders.location_attention import LocationAttention
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


def norm(x, layer):
    centred = x - x.mean()
    return centred / (centred.square().mean() + 1e-5).sqrt() * layer.weight + layer.bias


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_against_loops(ragged, shaken, same_by_prefix, heads: int) -> None:
    encoder, e = shaken(LocationAttention(Sizes(6, 7), heads=heads)), 6 // heads

    def naive(x_LD, time_L, user):
        key = [encoder.key.weight @ (x * 6**0.5) for x in x_LD]
        value = [encoder.value.weight @ (x * 6**0.5) + encoder.value.bias for x in x_LD]
        answers = []
        for h in range(heads):
            part = slice(h * e, (h + 1) * e)
            weights = [torch.exp(encoder.query[h] @ k[part]) for k in key]
            answers.append(sum(w / sum(weights) * v[part] for w, v in zip(weights, value, strict=True)))
        y = norm(torch.cat(answers), encoder.norm_attention)
        inner = torch.clamp(encoder.inner.weight @ y + encoder.inner.bias, min=0)
        return norm(y + encoder.outer.weight @ inner + encoder.outer.bias, encoder.norm_inner)

    same_by_prefix(encoder, ragged, naive)


@pytest.mark.parametrize("heads", [0, 4])
def test_heads_divide_the_width(heads: int) -> None:
    with pytest.raises(UserError, match=rf"heads={heads} does not divide width=6"):
        LocationAttention(Sizes(6), heads=heads)
