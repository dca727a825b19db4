"""The gated block against torch's attention and the published formula.

Shape legend: L positions of a prefix, D width.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from research.encoders.ligr import Ligr
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("heads", [1, 3])
def test_blocks(ragged, shaken, same_by_prefix, heads: int) -> None:
    encoder = shaken(Ligr(Sizes(6, 7), heads=heads, inner=10))

    def layer(block, x_LD):
        attention = nn.MultiheadAttention(6, heads, batch_first=True).double()
        attention.load_state_dict(
            {
                "in_proj_weight": block.qkv.weight,
                "in_proj_bias": block.qkv.bias,
                "out_proj.weight": block.out.weight,
                "out_proj.bias": block.out.bias,
            }
        )
        n_LD = block.norm_attention(x_LD)
        future_LL = torch.ones(len(x_LD), len(x_LD), dtype=torch.bool).triu(1)
        a_LD, _ = attention(n_LD, n_LD, n_LD, attn_mask=future_LL, need_weights=False)
        x_LD = x_LD + torch.sigmoid(x_LD @ block.gate_attention.weight.T + block.gate_attention.bias) * a_LD
        n_LD = block.norm_inner(x_LD)
        w1, w2, w3 = block.inner.weight, block.beside.weight, block.outer.weight
        f_LD = (F.silu(n_LD @ w1.T) * (n_LD @ w2.T)) @ w3.T
        return x_LD + torch.sigmoid(x_LD @ block.gate_inner.weight.T + block.gate_inner.bias) * f_LD

    def naive(x_LD, time_L, user):
        h_LD = x_LD * 6**0.5 + encoder.positions.weight[: len(x_LD)]
        for block in encoder.blocks:
            h_LD = layer(block, h_LD)
        return encoder.norm(h_LD[-1])

    same_by_prefix(encoder, ragged, naive)


def test_the_inner_layer_is_four_times_as_wide() -> None:
    block = Ligr(Sizes(8)).blocks[0]
    assert block.inner.weight.shape == (32, 8)  # type: ignore[union-attr]
