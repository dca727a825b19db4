"""The transformer block against torch's own attention and encoder layer with the same weights.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from research.data.batch import Positions
from research.encoders.bert4rec import Bert4Rec
from research.encoders.block import Block
from research.encoders.rows import Rows
from research.encoders.transformer import Transformer
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")

B, T, D, INNER = 3, 7, 12, 20
LENGTHS = torch.tensor([7, 2, 5])
REAL_BT = torch.arange(T) < LENGTHS[:, None]
FUTURE_TT = torch.ones(T, T, dtype=torch.bool).triu(1)


def block(heads: int, *, causal: bool, activation=F.relu) -> Block:
    torch.manual_seed(0)
    made = Block(D, heads, INNER, 0.3, activation=activation, causal=causal).eval()
    for norm in (made.norm_attention, made.norm_inner):  # at their start norms do nothing that could be mixed up
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    return made


def encoder_layer(like: Block, activation: str) -> nn.TransformerEncoderLayer:
    layer = nn.TransformerEncoderLayer(
        D, like.heads, INNER, dropout=0.0, activation=activation, batch_first=True, norm_first=True
    ).eval()
    state = {
        "self_attn.in_proj_weight": like.qkv.weight,
        "self_attn.in_proj_bias": like.qkv.bias,
        "self_attn.out_proj.weight": like.out.weight,
        "self_attn.out_proj.bias": like.out.bias,
        "linear1.weight": like.inner.weight,
        "linear1.bias": like.inner.bias,
        "linear2.weight": like.outer.weight,
        "linear2.bias": like.outer.bias,
        "norm1.weight": like.norm_attention.weight,
        "norm1.bias": like.norm_attention.bias,
        "norm2.weight": like.norm_inner.weight,
        "norm2.bias": like.norm_inner.bias,
    }
    layer.load_state_dict(state)
    return layer


@pytest.mark.parametrize("heads", [1, 3, 4])
class TestTwin:
    @pytest.mark.parametrize("activation", ["relu", "gelu"])
    def test_causal(self, heads: int, activation: str) -> None:
        ours = block(heads, causal=True, activation=getattr(F, activation))
        x_BTD = torch.randn(B, T, D)
        expected_BTD = encoder_layer(ours, activation)(x_BTD, src_mask=FUTURE_TT)
        torch.testing.assert_close(ours(x_BTD), expected_BTD, rtol=1e-5, atol=1e-5)

    def test_bidirectional(self, heads: int) -> None:
        ours = block(heads, causal=False, activation=F.gelu)
        x_BTD = torch.randn(B, T, D)
        expected_BTD = encoder_layer(ours, "gelu")(x_BTD, src_key_padding_mask=~REAL_BT)
        got_BTD = ours(x_BTD, REAL_BT[:, None, None, :])
        torch.testing.assert_close(got_BTD[REAL_BT], expected_BTD[REAL_BT], rtol=1e-5, atol=1e-5)

    def test_attention_alone(self, heads: int) -> None:
        ours = block(heads, causal=True)
        nn.init.zeros_(ours.outer.weight)
        nn.init.zeros_(ours.outer.bias)  # the feed-forward layer then adds nothing
        reference = nn.MultiheadAttention(D, heads, batch_first=True).eval()
        reference.load_state_dict(
            {
                "in_proj_weight": ours.qkv.weight,
                "in_proj_bias": ours.qkv.bias,
                "out_proj.weight": ours.out.weight,
                "out_proj.bias": ours.out.bias,
            }
        )
        x_BTD = torch.randn(B, T, D)
        h_BTD = ours.norm_attention(x_BTD)
        added_BTD, _ = reference(h_BTD, h_BTD, h_BTD, attn_mask=FUTURE_TT, need_weights=False)
        torch.testing.assert_close(ours(x_BTD), x_BTD + added_BTD, rtol=1e-5, atol=1e-5)


class TestEncodersAreBlocksBetweenPositionsAndNorm:
    def test_transformer(self) -> None:
        torch.manual_seed(1)
        encoder = Transformer(Sizes(D, T), blocks=2, heads=3, inner=INNER).eval()
        x_BTD = torch.randn(B, T, D)
        h_BTD = x_BTD * D**0.5 + encoder.positions.weight
        for one in encoder.blocks:
            h_BTD = encoder_layer(one, "relu")(h_BTD, src_mask=FUTURE_TT)  # type: ignore[arg-type]
        torch.testing.assert_close(
            encoder.encode(Rows(x_BTD, LENGTHS)), F.layer_norm(h_BTD, (D,)), rtol=1e-4, atol=1e-5
        )

    def test_bert4rec(self) -> None:
        torch.manual_seed(1)
        encoder = Bert4Rec(Sizes(D, T), blocks=2, heads=3, inner=INNER).eval()
        x_BTD = torch.randn(B, T, D)
        h_BTD = x_BTD * D**0.5 + encoder.positions.weight
        for one in encoder.blocks:
            h_BTD = encoder_layer(one, "gelu")(h_BTD, src_key_padding_mask=~REAL_BT)  # type: ignore[arg-type]
        out_BTD = F.gelu(F.layer_norm(h_BTD, (D,)) @ encoder.out.weight.T + encoder.out.bias)
        expected_BTD = F.layer_norm(out_BTD, (D,))
        got_BTD = encoder.encode(Rows(x_BTD, LENGTHS))
        torch.testing.assert_close(got_BTD[REAL_BT], expected_BTD[REAL_BT], rtol=1e-4, atol=1e-5)

    def test_the_feed_forward_width(self) -> None:
        assert Transformer(Sizes(D, T)).blocks[0].inner.out_features == D  # type: ignore[union-attr]
        assert Bert4Rec(Sizes(D, T)).blocks[0].inner.out_features == 4 * D  # type: ignore[union-attr]
        assert Transformer(Sizes(D, T), inner=5).blocks[0].inner.out_features == 5  # type: ignore[union-attr]


@pytest.mark.parametrize("heads", [0, 5, -1])
@pytest.mark.parametrize("kind", [Transformer, Bert4Rec])
def test_heads_divide_the_width(kind, heads: int) -> None:
    with pytest.raises(UserError, match=rf"heads={heads} does not divide width=12"):
        kind(Sizes(D, T), heads=heads)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("asked", ["last of each row", "some"])
def test_asked_positions_alone_are_those_of_the_whole_block(causal: bool, asked: str) -> None:
    ours, x_BTD = block(3, causal=causal).double(), torch.randn(B, T, D, dtype=torch.float64)
    visible = None if causal else REAL_BT[:, None, None, :]
    some = Positions(torch.tensor([0, 0, 2]), torch.tensor([1, 6, 3]))
    at = Positions.last(LENGTHS) if asked == "last of each row" else some
    whole_BTD, x_BTD = ours(x_BTD, visible), x_BTD.requires_grad_()
    got_ND = ours.asked(x_BTD, at, visible)
    torch.testing.assert_close(got_ND, at.of(whole_BTD), rtol=1e-12, atol=1e-12)
    (got,) = torch.autograd.grad(got_ND.pow(3).sum(), x_BTD)
    (expected,) = torch.autograd.grad(at.of(ours(x_BTD, visible)).pow(3).sum(), x_BTD)
    torch.testing.assert_close(got, expected, rtol=1e-11, atol=1e-12)
