"""Fusions that ask for more than two states: each formula again by a loop over positions, with the module's weights.

Shape legend: N asked positions, D width, T positions.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_world import (
    HOURS_AWAY,
    ITEMS,
    N_ITEMS,
    POSITIONS,
    SIZES,
    TIMES,
    D,
    World,
    linear,
    own,
    same,
    sigmoid,
    softmax,
    start,
    states,
)
from torch.nn import functional as F

from research.data.batch import Positions
from research.errors import UserError
from research.fusion.by_row import ByRow
from research.fusion.cross_attention import CrossAttention
from research.fusion.gated import Gated
from research.fusion.hierarchical import Hierarchical
from research.fusion.initial_state import InitialState
from research.fusion.mixture import Mixture
from research.fusion.same_branch_twice import SameBranchTwice
from research.fusion.time_decayed import TimeDecayed
from research.fusion.user_gate import UserGate

pytestmark = pytest.mark.usefixtures("one_thread")


class TestExact:
    @pytest.mark.parametrize("elementwise", [True, False])
    def test_user_gate(self, world: World, built, elementwise: bool) -> None:
        fusion = built(UserGate, elementwise=elementwise)
        fused, weights = fusion(world.views()), own(fusion)
        for n, ((b, _), long_D, short_D) in enumerate(zip(POSITIONS, *states(world), strict=True)):
            user_D = weights["users.weight"][b]
            gate = sigmoid(linear(np.concatenate([short_D, long_D, user_D]), weights, "gate"))
            same(fused.interest_ND[n], gate * short_D + (1 - gate) * long_D)
            same(fused.weight_N2[n], [1 - gate.mean(), gate.mean()])

    def test_time_decayed(self, world: World, built) -> None:
        fusion = built(TimeDecayed, half_life=10.0)
        fused, weights = fusion(world.views()), own(fusion)
        half_life, top = 10.0 * np.exp(weights["log_factor"]), sigmoid(weights["logit"])
        for n, (hours, long_D, short_D) in enumerate(zip(HOURS_AWAY, *states(world), strict=True)):
            share = top * 0.5 ** (hours / half_life)
            same(fused.interest_ND[n], (1 - share) * long_D + share * short_D)
            same(fused.weight_N2[n], [1 - share, share])

    def test_time_decay_starts_as_it_was_asked_to(self, world: World) -> None:
        weight_N2 = TimeDecayed(SIZES, half_life=50.0, short_share=0.8)(world.views()).weight_N2.detach().numpy()
        away = np.array(HOURS_AWAY)
        np.testing.assert_allclose(weight_N2[away == 50, 1], 0.4, atol=1e-6)
        np.testing.assert_allclose(weight_N2[away == 0, 1], 0.8, atol=1e-6)
        np.testing.assert_allclose(weight_N2[away == 500, 1], 0.8 / 1024, atol=1e-6)

    @pytest.mark.parametrize("experts", [2, 4])
    def test_mixture(self, world: World, built, experts: int) -> None:
        fusion = built(Mixture, experts=experts)
        fused, weights = fusion(world.views()), own(fusion)
        for n, ((b, t), hours, long_D, short_D) in enumerate(zip(POSITIONS, HOURS_AWAY, *states(world), strict=True)):
            context = np.log([hours + 1, t - start(b, t) + 1, t + 1])
            route = softmax(linear(context, weights, "router"))
            assert len(route) == experts
            gates = [sigmoid(linear(np.r_[long_D, short_D], weights, f"experts.{e}.gate")) for e in range(experts)]
            gate = sum(r * g for r, g in zip(route, gates, strict=True))
            same(fused.interest_ND[n], gate * long_D + (1 - gate) * short_D)
            same(fused.weight_N2[n], [gate.mean(), 1 - gate.mean()])

    def test_initial_state(self, world: World, built) -> None:
        """Steps of a GRU written out, from the long state just before the window."""
        fused, w = built(InitialState)(world.views()), own(world.short)
        before_ND, _ = states(world, overlap=False)
        for n, ((b, t), h) in enumerate(zip(POSITIONS, before_ND, strict=True)):
            assert h.any() == (start(b, t) > 0)
            for item in ITEMS[b][start(b, t) : t + 1]:
                x = world.table[item].detach().numpy() * np.sqrt(D)
                of_x = x @ w["cell.weight_ih_l0"].T + w["cell.bias_ih_l0"]
                of_h = h @ w["cell.weight_hh_l0"].T + w["cell.bias_hh_l0"]
                reset, update = sigmoid(of_x[:D] + of_h[:D]), sigmoid(of_x[D : 2 * D] + of_h[D : 2 * D])
                h = (1 - update) * np.tanh(of_x[2 * D :] + reset * of_h[2 * D :]) + update * h
            same(fused.interest_ND[n], h)
        assert fused.weight_N2 is None

    @pytest.mark.parametrize("overlap", [True, False])
    def test_hierarchical(self, world: World, built, overlap: bool) -> None:
        fusion = built(Hierarchical)
        views = world.views(overlap=overlap)
        fused, weights = fusion(views), own(fusion)
        long_ND, short_ND = states(world, overlap)[0], states(world)[1]
        for n, ((b, t), long_D, query_D) in enumerate(zip(POSITIONS, long_ND, short_ND, strict=True)):
            items = [world.table[item].detach().numpy() * np.sqrt(D) for item in ITEMS[b][start(b, t) : t + 1]]
            met = np.stack([long_D, *items])
            weight = softmax(np.maximum(linear(met, weights, "key"), 0) @ query_D)
            same(fused.interest_ND[n], weight @ met)
            same(fused.weight_N2[n], [weight[0], weight[1:].sum()])

    def test_hierarchical_is_that_over_gathered_windows(self, world: World, built) -> None:
        """The slow twin: items of every window gathered, padded and masked."""
        fusion, views = built(Hierarchical), world.views()
        x_NLD, real_NL = views.window
        met = torch.cat([views.long_ND[:, None], x_NLD * D**0.5], dim=1)
        score = (fusion.key(met).relu() @ views.short_ND[:, :, None]).squeeze(2)
        weight = score.masked_fill(~F.pad(real_NL, (1, 0), value=True), -torch.inf).softmax(1)
        torch.testing.assert_close(fusion(views).interest_ND, (weight[..., None] * met).sum(1), rtol=0, atol=1e-12)

    @pytest.mark.parametrize("heads", [1, 2, 3])
    @pytest.mark.parametrize("overlap", [True, False])
    def test_cross_attention(self, world: World, built, heads: int, overlap: bool) -> None:
        fusion = built(CrossAttention, heads=heads)
        fused, weights = fusion(world.views(overlap=overlap)), own(fusion)
        long_ND, short_ND = states(world)
        e = D // heads
        for n, ((b, t), short_D) in enumerate(zip(POSITIONS, short_ND, strict=True)):
            seen = [h for (row, s), h in zip(POSITIONS, long_ND, strict=True) if row == b and s <= t]
            seen = seen if overlap else seen[: start(b, t)]
            if not seen:
                same(fused.interest_ND[n], short_D)
                continue
            key_value, query = linear(np.stack(seen), weights, "key_value"), linear(short_D, weights, "query")
            answer = []
            for h in range(heads):
                c = slice(h * e, (h + 1) * e)
                answer.append(softmax(key_value[:, :D][:, c] @ query[c] / np.sqrt(e)) @ key_value[:, D:][:, c])
            same(fused.interest_ND[n], short_D + linear(np.concatenate(answer), weights, "out"))

    @pytest.mark.parametrize("overlap", [True, False])
    def test_same_branch_twice_is_the_gate_without_the_window(self, world: World, built, overlap: bool) -> None:
        fusion = built(SameBranchTwice)
        fused, weights = fusion(world.views(overlap=overlap)), own(fusion)
        twin = states(replace(world, long=world.short), overlap)[0]
        for n, (long_D, twin_D) in enumerate(zip(states(world, overlap)[0], twin, strict=True)):
            gate = sigmoid(linear(np.r_[long_D, twin_D], weights, "gated.gate"))
            same(fused.interest_ND[n], gate * long_D + (1 - gate) * twin_D)
            same(fused.weight_N2[n], [gate.mean(), 1 - gate.mean()])

    def test_same_branch_twice_has_the_parameters_of_the_gate(self) -> None:
        counts = [sum(p.numel() for p in kind(SIZES).parameters()) for kind in (SameBranchTwice, Gated)]
        assert counts[0] == counts[1]


class TestHidden:
    """A hidden item has not been seen: neither it nor its time counts as the user's latest."""

    def test_time_decayed_measures_from_the_latest_item_that_is_seen(self, world: World) -> None:
        items_BT = world.batch.items_BT.clone()
        items_BT[0, 4:6] = N_ITEMS + 1  # hours 32 and 90 of the first row
        hidden = replace(world, batch=replace(world.batch, items_BT=items_BT, now_BT=world.batch.times_BT))
        at = Positions(torch.tensor([0, 0]), torch.tensor([4, 5]))
        weight_N2 = TimeDecayed(SIZES, half_life=1.0, short_share=0.5)(hidden.views(at=at)).weight_N2
        expected = [0.5 * 0.5 ** (TIMES[0][4] - TIMES[0][3]), 0.5 * 0.5 ** (TIMES[0][5] - TIMES[0][3])]
        np.testing.assert_allclose(weight_N2[:, 1].detach(), expected, rtol=1e-5)


class TestByRow:
    def test_by_a_loop(self) -> None:
        at = Positions(torch.tensor([0, 0, 2, 2, 2, 3]), torch.tensor([1, 4, 0, 1, 5, 3]))
        value_ND = torch.arange(12.0).view(6, 2)
        grid = ByRow(at, 5)
        expected = torch.zeros(5, 3, 2)
        for b in range(5):
            for q, n in enumerate([n for n in range(6) if at.row_N[n] == b]):
                expected[b, q] = value_ND[n]
        assert torch.equal(grid.lay(value_ND), expected)
        assert torch.equal(grid.lay(value_ND[:, 0]), expected[..., 0])
        assert torch.equal(grid.pick(expected), value_ND)

    def test_gradients_pass_both_ways(self) -> None:
        at = Positions(torch.tensor([0, 2, 2]), torch.tensor([1, 0, 1]))
        value_ND = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
        grid = ByRow(at, 3)
        assert torch.autograd.gradcheck(lambda v: grid.pick(grid.lay(v) ** 2), value_ND)


class TestCost:
    def test_no_row_is_gathered_for_every_position(self, world: World, built, monkeypatch) -> None:
        """Attention over rows makes N queries meet B rows; no tensor of N x T x D numbers may appear."""
        n, t = len(world.at), world.batch.items_BT.shape[1]
        largest = 0
        real = F.scaled_dot_product_attention

        def watched(q, k, v, **settings):
            nonlocal largest
            largest = max(largest, q.numel(), k.numel(), v.numel())
            return real(q, k, v, **settings)

        monkeypatch.setattr(F, "scaled_dot_product_attention", watched)
        built(CrossAttention)(world.views())
        assert 0 < largest <= world.batch.items_BT.numel() * D < n * t * D


class TestErrors:
    @pytest.mark.parametrize(
        ("build", "words"),
        [
            (lambda: TimeDecayed(SIZES, half_life=0), r"fusion\.half_life=0.*longer than 0 hours"),
            (lambda: TimeDecayed(SIZES, short_share=1.0), r"fusion\.short_share=1\.0.*strictly"),
            (lambda: Mixture(SIZES, experts=1), r"fusion\.experts=1.*fusion=gated"),
            (lambda: CrossAttention(SIZES, heads=4), rf"fusion\.heads=4 does not divide width={D}"),
            (lambda: CrossAttention(SIZES, heads=0), r"fusion\.heads=0"),
        ],
    )
    def test_a_setting_out_of_range(self, build, words: str) -> None:
        with pytest.raises(UserError, match=words):
            build()
