"""Fusions of two states, each formula again in NumPy with the module's own weights; and what every fusion promises.

Shape legend: N asked positions, D width, C candidates.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from research.checks.fusions import PROMISES
from research.errors import UserError
from research.fusion.attention import Attention
from research.fusion.base import Fusion, StateFusion
from research.fusion.bilinear import Bilinear
from research.fusion.concat import Concat
from research.fusion.concat_mlp import ConcatMLP
from research.fusion.feature_gate import FeatureGate
from research.fusion.gated import Gated
from research.fusion.long_only import LongOnly
from research.fusion.product import Product
from research.fusion.random_gate import RandomGate
from research.fusion.short_only import ShortOnly
from research.fusion.sum import Sum
from research.fusion.weighted import Weighted
from research.fusion.wide_long import WideLong
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")

N, D = 9, 6
LONG_ND, SHORT_ND = torch.randn(2, N, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def built(kind: type[StateFusion], **settings: object) -> StateFusion:
    """In float64, every parameter moved away from where it starts, so that no term is zero by chance."""
    torch.manual_seed(1)
    fusion = kind(Sizes(D), **settings).double().eval()  # type: ignore[call-arg]
    with torch.no_grad():
        for parameter in fusion.parameters():
            parameter += torch.randn_like(parameter)
    return fusion


def numbers(fusion: StateFusion) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    return LONG_ND.numpy(), SHORT_ND.numpy(), {name: t.numpy() for name, t in fusion.state_dict().items()}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def same(got: torch.Tensor | None, expected: np.ndarray) -> None:
    assert got is not None
    np.testing.assert_allclose(got.detach().numpy(), expected, rtol=0, atol=1e-12)


class TestExact:
    @pytest.mark.parametrize("long_share", [0.0, 0.3, 1.0])
    def test_fixed_weight(self, long_share: float) -> None:
        fusion = built(Weighted, weight="fixed", long_share=long_share)
        fused = fusion.fuse(LONG_ND, SHORT_ND)
        # The share is kept in float32.
        expected = long_share * LONG_ND.numpy() + (1 - long_share) * SHORT_ND.numpy()
        np.testing.assert_allclose(fused.interest_ND.numpy(), expected, atol=1e-6)
        np.testing.assert_allclose(fused.weight_N2.numpy(), [[long_share, 1 - long_share]] * N, atol=1e-6)
        assert not list(fusion.parameters())

    @pytest.mark.parametrize("weight", ["scalar", "elementwise"])
    def test_learned_weight(self, weight: str) -> None:
        fusion = built(Weighted, weight=weight)
        long_ND, short_ND, own = numbers(fusion)
        share = sigmoid(own["logit"])
        assert share.shape == ((1,) if weight == "scalar" else (D,))
        fused = fusion.fuse(LONG_ND, SHORT_ND)
        same(fused.interest_ND, share * long_ND + (1 - share) * short_ND)
        same(fused.weight_N2, np.array([[share.mean(), 1 - share.mean()]] * N))

    @pytest.mark.parametrize("weight", ["scalar", "elementwise"])
    def test_learning_starts_at_the_share_that_was_asked_for(self, weight: str) -> None:
        fused = Weighted(Sizes(D), weight=weight, long_share=0.8).fuse(LONG_ND, SHORT_ND)  # type: ignore[arg-type]
        np.testing.assert_allclose(fused.weight_N2.detach().numpy(), [[0.8, 0.2]] * N, atol=1e-6)

    @pytest.mark.parametrize("elementwise", [True, False])
    def test_gated(self, elementwise: bool) -> None:
        fusion = built(Gated, elementwise=elementwise)
        long_ND, short_ND, own = numbers(fusion)
        gate = sigmoid(np.concatenate([long_ND, short_ND], axis=1) @ own["gate.weight"].T + own["gate.bias"])
        assert gate.shape == (N, D if elementwise else 1)
        fused = fusion.fuse(LONG_ND, SHORT_ND)
        same(fused.interest_ND, gate * long_ND + (1 - gate) * short_ND)
        same(fused.weight_N2, np.stack([gate.mean(1), 1 - gate.mean(1)], axis=1))

    @pytest.mark.parametrize("query", ["learned", "short"])
    def test_attention(self, query: str) -> None:
        fusion = built(Attention, query=query)
        long_ND, short_ND, own = numbers(fusion)
        asks = own["query.vector"][None] if query == "learned" else short_ND @ own["query.weight"].T
        score = np.stack([(asks * (h @ own["key.weight"].T)).sum(1) for h in (long_ND, short_ND)], axis=1) / np.sqrt(D)
        weight = np.exp(score) / np.exp(score).sum(1, keepdims=True)
        fused = fusion.fuse(LONG_ND, SHORT_ND)
        same(fused.weight_N2, weight)
        same(fused.interest_ND, weight[:, :1] * long_ND + weight[:, 1:] * short_ND)

    def test_concat(self) -> None:
        fusion = built(Concat)
        long_ND, short_ND, own = numbers(fusion)
        same(
            fusion.fuse(LONG_ND, SHORT_ND).interest_ND,
            np.concatenate([long_ND, short_ND], axis=1) @ own["mix.weight"].T,
        )

    def test_sum(self) -> None:
        same(built(Sum).fuse(LONG_ND, SHORT_ND).interest_ND, LONG_ND.numpy() + SHORT_ND.numpy())

    def test_product(self) -> None:
        same(built(Product).fuse(LONG_ND, SHORT_ND).interest_ND, LONG_ND.numpy() * SHORT_ND.numpy())

    @pytest.mark.parametrize("rank", [None, 1, 4])
    def test_bilinear_is_a_tensor_of_matrices(self, rank: int | None) -> None:
        fusion = built(Bilinear, rank=rank)
        long_ND, short_ND, own = numbers(fusion)
        u_RD, v_RD, p_DR = (own[f"{name}.weight"] for name in ("of_long", "of_short", "out"))
        assert u_RD.shape == (rank or D, D)
        w_DDD = np.stack([sum(p * np.outer(u, v) for p, u, v in zip(p_R, u_RD, v_RD, strict=True)) for p_R in p_DR])
        expected = [[long @ w_DD @ short for w_DD in w_DDD] for long, short in zip(long_ND, short_ND, strict=True)]
        same(fusion.fuse(LONG_ND, SHORT_ND).interest_ND, np.array(expected))

    @pytest.mark.parametrize("hidden", [None, 5])
    def test_concat_mlp(self, hidden: int | None) -> None:
        fusion = built(ConcatMLP, hidden=hidden)
        long_ND, short_ND, own = numbers(fusion)
        inner = np.concatenate([long_ND, short_ND], axis=1) @ own["inner.weight"].T + own["inner.bias"]
        assert inner.shape == (N, hidden or 2 * D)
        same(
            fusion.fuse(LONG_ND, SHORT_ND).interest_ND,
            np.maximum(inner, 0) @ own["out.weight"].T + own["out.bias"],
        )

    def test_feature_gate(self) -> None:
        fusion = built(FeatureGate)
        long_ND, short_ND, own = numbers(fusion)
        both = np.concatenate([long_ND, short_ND], axis=1)
        feature = np.tanh(both @ own["feature.weight"].T + own["feature.bias"])
        gate = sigmoid(both @ own["gate.weight"].T + own["gate.bias"])
        same(fusion.fuse(LONG_ND, SHORT_ND).interest_ND, gate * short_ND + (1 - gate) * feature)

    def test_random_gate_is_drawn_with_the_seed_and_never_learns(self) -> None:
        fusions = []
        for seed in (5, 5, 6):
            torch.manual_seed(seed)
            fusions.append(RandomGate(Sizes(D)).double())
        one, two, other = (fusion.fuse(LONG_ND, SHORT_ND) for fusion in fusions)
        gate = fusions[0].state_dict()["gate"].numpy()
        assert ((gate >= 0) & (gate < 1)).all() and len(set(gate)) == D
        same(one.interest_ND, gate * LONG_ND.numpy() + (1 - gate) * SHORT_ND.numpy())
        same(one.weight_N2, np.array([[gate.mean(), 1 - gate.mean()]] * N))
        assert torch.equal(one.interest_ND, two.interest_ND) and not torch.equal(one.interest_ND, other.interest_ND)
        assert not list(fusions[0].parameters())

    def test_wide_long(self) -> None:
        fusion = built(WideLong)
        long_ND, _, own = numbers(fusion)
        inner = np.maximum(long_ND @ own["inner.weight"].T, 0)
        fused = fusion.fuse(LONG_ND, SHORT_ND)
        same(fused.interest_ND, long_ND + inner @ own["out.weight"].T + own["out.bias"])
        same(fused.weight_N2, np.array([[1, 0]] * N))

    @pytest.mark.parametrize("width", [4, 6, 64])
    def test_wide_long_spends_what_the_gate_spends(self, width: int) -> None:
        counts = [sum(p.numel() for p in kind(Sizes(width)).parameters()) for kind in (WideLong, Gated)]
        assert counts[0] == counts[1] == 2 * width**2 + width

    @pytest.mark.parametrize("parameters", [3 * D, 100, 1001])
    def test_wide_long_spends_what_it_is_given(self, parameters: int) -> None:
        spent = sum(p.numel() for p in WideLong(Sizes(D), parameters=parameters).parameters())
        assert parameters - 2 * D < spent <= parameters

    @pytest.mark.parametrize(
        ("kind", "state_ND", "weight"), [(LongOnly, LONG_ND, [1, 0]), (ShortOnly, SHORT_ND, [0, 1])]
    )
    def test_one_branch_alone(self, kind: type[StateFusion], state_ND: torch.Tensor, weight: list[int]) -> None:
        fused = built(kind).fuse(LONG_ND, SHORT_ND)
        assert torch.equal(fused.interest_ND, state_ND)
        same(fused.weight_N2, np.array([weight] * N))

    @pytest.mark.parametrize(
        "fusion",
        [
            built(Weighted, weight="scalar"),
            built(Gated, elementwise=False),
            built(Attention, query="short"),
            built(Attention, query="learned"),
            built(LongOnly),
            built(ShortOnly),
        ],
        ids=lambda f: type(f).__name__,
    )
    def test_stated_weights_are_the_ones_used(self, fusion: StateFusion) -> None:
        """Where a position has one weight a branch, the interest follows from the states and the stated weights."""
        fused = fusion.fuse(LONG_ND, SHORT_ND)
        weight_N2 = fused.weight_N2.detach().numpy()
        mixed = weight_N2[:, :1] * LONG_ND.numpy() + weight_N2[:, 1:] * SHORT_ND.numpy()
        same(fused.interest_ND, mixed)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_every_fusion_keeps(promise: Callable, fusion_class: type[Fusion]) -> None:
    """Over real views of a few rows; see ``research.checks.fusions``."""
    promise(fusion_class)


class TestErrors:
    @pytest.mark.parametrize(
        ("weight", "long_share"),
        [("fixed", -0.1), ("fixed", 1.1), ("scalar", 0.0), ("scalar", 1.0), ("elementwise", 1)],
    )
    def test_a_share_out_of_range(self, weight: str, long_share: float) -> None:
        with pytest.raises(UserError, match=rf"fusion\.long_share={long_share} with fusion\.weight={weight}"):
            Weighted(Sizes(D), weight=weight, long_share=long_share)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("kind", "settings", "words"),
        [
            (Bilinear, {"rank": 0}, r"fusion\.rank=0"),
            (ConcatMLP, {"hidden": 0}, r"fusion\.hidden=0.*null"),
            (ConcatMLP, {"dropout": 1.0}, r"dropout=1\.0"),
            (WideLong, {"parameters": 3 * D - 1}, rf"fusion\.parameters={3 * D - 1}.*needs {3 * D}"),
        ],
    )
    def test_a_setting_out_of_range(self, kind: type[StateFusion], settings: dict, words: str) -> None:
        with pytest.raises(UserError, match=words):
            kind(Sizes(D), **settings)  # type: ignore[call-arg]
