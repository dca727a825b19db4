"""Attention with biases for distance and time, HSTU's and the timed transformer's, against loops over pairs.

Shape legend: L positions of a prefix, D width, T positions.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from research.encoders.hstu import HSTU
from research.encoders.hstu_order import HSTUOrder
from research.encoders.relative import BUCKETS, RelativeBias, buckets_of
from research.encoders.rows import Rows
from research.encoders.timed_transformer import TimedTransformer
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


def bias_of(bias: RelativeBias, time_L, t: int, s: int, *, from_now: bool = True) -> torch.Tensor:
    later = 40 * (t + 1) ** 2 if from_now else 0  # the moment of t, as the rows have it
    seconds = max(1, int(time_L[t] + later - time_L[s]))
    found = bias.position[t - s]
    return found if bias.time is None else found + bias.time[int(math.log(seconds) / 0.301)]


class TestBuckets:
    def test_by_hand(self) -> None:
        """ln 60 / .301 = 13.6; ln 3600 / .301 = 27.2; a day 37.8; 30 days 49.06; ln 2 / .301 = 2.3."""
        times = torch.tensor([[0, 1, 2, 60, 3600, 86_400, 30 * 86_400]])
        now = torch.tensor([[1, 2, 60, 3600, 86_400, 30 * 86_400, 10**12]])
        rows = Rows(torch.zeros(1, 7, 2), torch.tensor([7]), times, now_BT=now)
        got = buckets_of(rows, from_now=True)
        assert got[0, :, 0].tolist() == [0, 2, 13, 27, 37, 49, BUCKETS - 1]
        assert got[0, 4, :5].tolist() == [37, 37, 37, 37, 37] and got[0, 2, :3].tolist() == [13, 13, 13]
        got = buckets_of(rows, from_now=False)
        assert got[0, :, 0].tolist() == [0, 0, 2, 13, 27, 37, 49] and got[0, 3, :4].tolist() == [13, 13, 13, 0]

    def test_what_comes_later_is_minus_infinity(self) -> None:
        bias = RelativeBias(5, timed=False)(3, None)[0, 0]
        later = torch.ones(3, 3, dtype=torch.bool).triu(1)
        assert (bias[later] == -math.inf).all() and torch.isfinite(bias[~later]).all()
        assert bias[2, 1] == bias[1, 0] and bias[2, 2] != bias[2, 1]


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("kind", [HSTU, HSTUOrder])
def test_hstu(ragged, shaken, same_by_prefix, kind: type, heads: int) -> None:
    encoder = shaken(kind(Sizes(6, 7), heads=heads))

    def normed(x):
        return (x - x.mean()) / (x.var(unbiased=False) + 1e-5).sqrt()

    def layer(block, x_L, time_L):
        parts = [F.silu(block.uvqk.weight @ normed(x)).split(6) for x in x_L]
        out = []
        for t in range(len(x_L)):
            u, _, q, _ = parts[t]
            heard = []
            for own in range(0, 6, 6 // heads):
                e = slice(own, own + 6 // heads)
                total = torch.zeros(6 // heads, dtype=torch.float64)
                for s in range(t + 1):
                    _, v, _, k = parts[s]
                    total += F.silu(q[e] @ k[e] + bias_of(block.bias, time_L, t, s)) / (t + 1) * v[e]
                heard.append(total)
            out.append(x_L[t] + block.out.weight @ (normed(torch.cat(heard)) * u) + block.out.bias)
        return out

    def naive(x_LD, time_L, user):
        h_L = list(x_LD * 6**0.5 + encoder.positions.weight[: len(x_LD)])
        for block in encoder.blocks:
            h_L = layer(block, h_L, time_L)
        return encoder.norm(h_L[-1])

    same_by_prefix(encoder, ragged, naive)


@pytest.mark.parametrize(("heads", "from_now"), [(1, True), (3, True), (3, False)])
def test_timed_transformer(ragged, shaken, same_by_prefix, heads: int, from_now: bool) -> None:
    encoder = shaken(TimedTransformer(Sizes(6, 7), heads=heads, inner=10, from_now=from_now))
    e = 6 // heads

    def layer(block, x_LD, time_L):
        qkv_LG = block.norm_attention(x_LD) @ block.qkv.weight.T + block.qkv.bias
        q_LD, k_LD, v_LD = qkv_LG.split(6, dim=1)
        out = []
        for t in range(len(x_LD)):
            heard = []
            for own in range(0, 6, e):
                score = [
                    q_LD[t, own : own + e] @ k_LD[s, own : own + e] / e**0.5
                    + bias_of(block.bias, time_L, t, s, from_now=from_now)
                    for s in range(t + 1)
                ]
                weight = [math.exp(z.item()) for z in score]
                heard.append(sum(w * v_LD[s, own : own + e] for s, w in enumerate(weight)) / sum(weight))
            out.append(x_LD[t] + block.out.weight @ torch.cat(heard) + block.out.bias)
        x_LD = torch.stack(out)
        inner = F.relu(block.norm_inner(x_LD) @ block.inner.weight.T + block.inner.bias)
        return x_LD + inner @ block.outer.weight.T + block.outer.bias

    def naive(x_LD, time_L, user):
        h_LD = x_LD * 6**0.5 + encoder.positions.weight[: len(x_LD)]
        for block in encoder.blocks:
            h_LD = layer(block, h_LD, time_L)
        return encoder.norm(h_LD[-1])

    same_by_prefix(encoder, ragged, naive)


def test_heads_that_do_not_divide() -> None:
    for kind in (HSTU, HSTUOrder, TimedTransformer):
        with pytest.raises(UserError, match=r"heads=4 does not divide width=6"):
            kind(Sizes(6), heads=4)
