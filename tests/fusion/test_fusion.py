"""Fusions: each formula again in NumPy with the module's own weights, and what every fusion promises.

Shape legend: N asked positions, D width.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from research.errors import UserError
from research.fusion.attention import Attention
from research.fusion.base import StateFusion
from research.fusion.concat import Concat
from research.fusion.gated import Gated
from research.fusion.long_only import LongOnly
from research.fusion.short_only import ShortOnly
from research.fusion.sum import Sum
from research.fusion.weighted import Weighted
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")

N, D = 9, 6
LONG_ND, SHORT_ND = torch.randn(2, N, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def built(kind: type[StateFusion], **settings: object) -> StateFusion:
    """In float64, every parameter moved away from where it starts, so that no term is zero by chance."""
    torch.manual_seed(1)
    fusion = kind(Sizes(D), **settings).double()  # type: ignore[call-arg]
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


class TestEveryFusion:
    def test_weights_are_shares(self, fusion_class: type[StateFusion]) -> None:
        fused = built(fusion_class).fuse(LONG_ND, SHORT_ND)
        assert fused.interest_ND.shape == (N, D)
        if fused.weight_N2 is not None:
            assert fused.weight_N2.shape == (N, 2)
            assert (fused.weight_N2 >= 0).all()
            same(fused.weight_N2.sum(1), np.ones(N))

    def test_exactly_the_branches_that_it_names_are_read(self, fusion_class: type[StateFusion]) -> None:
        fusion = built(fusion_class)
        states = {"long": LONG_ND.clone().requires_grad_(), "short": SHORT_ND.clone().requires_grad_()}
        fusion.fuse(*states.values()).interest_ND.square().sum().backward()
        for branch, state_ND in states.items():
            if branch in fusion.branches:
                assert (state_ND.grad.abs() > 0).all()  # type: ignore[union-attr]
            else:
                assert state_ND.grad is None
                other = {**states, branch: torch.full((N, D), 1e6, dtype=torch.float64)}
                assert torch.equal(fusion.fuse(*other.values()).interest_ND, fusion.fuse(*states.values()).interest_ND)

    def test_every_parameter_is_used(self, fusion_class: type[StateFusion]) -> None:
        fusion = built(fusion_class)
        # A linear function of the interest would be blind to a weight that only moves along a direction.
        fusion.fuse(LONG_ND, SHORT_ND).interest_ND.pow(3).sum().backward() if list(fusion.parameters()) else None
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in fusion.parameters())

    def test_a_position_is_fused_alone(self, fusion_class: type[StateFusion]) -> None:
        fusion = built(fusion_class)
        together = fusion.fuse(LONG_ND, SHORT_ND)
        for n in range(N):
            alone = fusion.fuse(LONG_ND[n : n + 1], SHORT_ND[n : n + 1])
            torch.testing.assert_close(alone.interest_ND[0], together.interest_ND[n], rtol=0, atol=1e-12)
            if together.weight_N2 is not None:
                torch.testing.assert_close(alone.weight_N2[0], together.weight_N2[n], rtol=0, atol=1e-12)


class TestErrors:
    @pytest.mark.parametrize(
        ("weight", "long_share"),
        [("fixed", -0.1), ("fixed", 1.1), ("scalar", 0.0), ("scalar", 1.0), ("elementwise", 1)],
    )
    def test_a_share_out_of_range(self, weight: str, long_share: float) -> None:
        with pytest.raises(UserError, match=rf"fusion\.long_share={long_share} with fusion\.weight={weight}"):
            Weighted(Sizes(D), weight=weight, long_share=long_share)  # type: ignore[arg-type]
