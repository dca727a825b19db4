"""Fusions that score every candidate in its own way: their formulas by loops, and training and ranking over them.

Shape legend: N asked positions, D width, C candidates, K interests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from small_world import HOUR, HOURS_AWAY, ITEMS, N_ITEMS, POSITIONS, SIZES, D, World, linear, own, same, sigmoid, states
from torch import Tensor, nn

from research.encoders.base import Encoder
from research.encoders.rows import Rows
from research.errors import UserError
from research.evaluation.ranks import count_better
from research.evaluation.scores import CandidateScores, DenseScores
from research.fusion import candidate_gate
from research.fusion.base import Fusion
from research.fusion.best_interest import BestInterest
from research.fusion.clsr import CLSR
from research.fusion.fissa import FISSA
from research.fusion.long_max_interest import LongMaxInterest
from research.fusion.max_interest import MaxInterest
from research.fusion.slirec import SLiRec, log_days
from research.items.ids import Ids
from research.losses.cross_entropy import CrossEntropy

pytestmark = pytest.mark.usefixtures("one_thread")

AWARE = [SLiRec, CLSR, FISSA, MaxInterest, LongMaxInterest]
DAYS_AWAY = np.maximum(np.array(HOURS_AWAY) / 24, 0.5)


def context(kind: type[Fusion], fusion: Fusion, world: World, n: int, long_D, short_D) -> np.ndarray:
    """What each gate sees beside the candidate."""
    b, t = POSITIONS[n]
    if kind is FISSA:
        return np.r_[world.table[ITEMS[b][t]].detach().numpy(), long_D]
    time = [long_D, short_D, [np.log(DAYS_AWAY[n])]]
    if kind is SLiRec:
        return np.concatenate(time)
    cell = fusion.evolution.cell  # type: ignore[union-attr]
    history_1TD = world.table[torch.tensor([ITEMS[b][: t + 1]])] * D**0.5
    return np.concatenate([cell(history_1TD)[0][0, -1].detach().numpy(), *time])  # type: ignore[operator]


def expected_shares(kind: type[Fusion], fusion: Fusion, world: World) -> np.ndarray:
    weights = own(fusion)
    shares = np.empty((len(POSITIONS), N_ITEMS))
    for n, (long_D, short_D) in enumerate(zip(*states(world), strict=True)):
        known = linear(context(kind, fusion, world, n, long_D, short_D), weights, "gate.context")
        for c, x_D in enumerate(world.candidates_CD.detach().numpy()):
            inner = np.maximum(known + weights["gate.candidate.weight"] @ x_D, 0)
            shares[n, c] = sigmoid(linear(inner, weights, "gate.out"))[0]
    return shares


class Several(Encoder):
    """Three interests: running sums through three matrices."""

    causal = True
    interests = 3

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(D, 3 * D, bias=False)

    def encode(self, rows: Rows) -> Tensor:
        return self.mix(rows.x_BTD).cumsum(1)


class TestExact:
    @pytest.mark.parametrize("kind", [SLiRec, CLSR, FISSA])
    def test_gates(self, world: World, built, kind: type[Fusion]) -> None:
        fusion = built(kind, hidden=5)
        fused, share_NC = fusion(world.views()), expected_shares(kind, fusion, world)
        assert share_NC.std(axis=0).min() > 0.01 and share_NC.std(axis=1).min() > 0.01, "else the test says little"
        same(fused.share(world.candidates_CD), share_NC)
        same(fused.share_own(world.candidates_CD.expand(len(fused), -1, -1)), share_NC)
        long_ND, short_ND = states(world)
        x_CD = world.candidates_CD.detach().numpy()
        same(fused.score(world.candidates_CD), share_NC * (long_ND @ x_CD.T) + (1 - share_NC) * (short_ND @ x_CD.T))
        same(fused.interest_ND, (long_ND + short_ND) / 2)
        assert fused.weight_N2 is None

    @pytest.mark.parametrize("neurons", [1, 200, 10**9])
    def test_the_chunk_plays_no_part(self, world: World, built, monkeypatch, neurons: int) -> None:
        fused = built(SLiRec)(world.views())
        whole_NC = fused.score(world.candidates_CD)
        monkeypatch.setattr(candidate_gate, "NEURONS", neurons)
        torch.testing.assert_close(fused.score(world.candidates_CD), whole_NC, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("several", [("long",), ("short",), ("long", "short")])
    def test_max_interest(self, world: World, built, several: tuple[str, ...]) -> None:
        world = replace(world, **{view: Several().double() for view in several})  # type: ignore[arg-type]
        views = world.views()
        fused = built(MaxInterest)(views)
        counts = [3 if view in several else 1 for view in ("long", "short")]
        assert views.long_ND.shape[1] == counts[0] * D and views.short_ND.shape[1] == counts[1] * D
        for n in range(len(fused)):
            interests = [*views.long_ND[n].split(D), *views.short_ND[n].split(D)]
            assert len(interests) == sum(counts)
            same(
                fused.score(world.candidates_CD)[n],
                [max((h @ x).item() for h in interests) for x in world.candidates_CD],
            )
            same(fused.interest_ND[n], sum(h.detach().numpy() for h in interests) / len(interests))

    def test_long_max_interest(self, world: World, built) -> None:
        world = replace(world, long=Several().double())
        views = world.views(("long",))
        score_NC = built(LongMaxInterest)(views).score(world.candidates_CD)
        for n, h_D in enumerate(views.long_ND):
            same(score_NC[n], [max((h @ x).item() for h in h_D.split(D)) for x in world.candidates_CD])

    def test_with_one_interest_the_maximum_is_the_dot_product(self, world: World, built) -> None:
        fused = built(LongMaxInterest)(world.views())
        same(fused.score(world.candidates_CD), states(world)[0] @ world.candidates_CD.detach().numpy().T)

    def test_only_the_nearest_interest_learns(self, world: World) -> None:
        interest_NKD = torch.randn(2, 3, D, dtype=torch.float64, requires_grad=True)
        candidates_CD = world.candidates_CD.detach()[:1]
        BestInterest.of(interest_NKD).score(candidates_CD).sum().backward()
        nearest_N = (interest_NKD @ candidates_CD[0]).argmax(1)
        assert interest_NKD.grad is not None
        learns_NK = interest_NKD.grad.abs().sum(2) > 0
        assert learns_NK.tolist() == [[k == nearest for k in range(3)] for nearest in nearest_N.tolist()]


class TestTraining:
    @pytest.fixture
    def items(self, world: World) -> Ids:
        table = Ids(SIZES).double()
        table.table.weight.data.copy_(world.table.detach())
        return table

    @pytest.mark.parametrize("kind", AWARE)
    @pytest.mark.parametrize("chunk", [1, 48, 1024])
    def test_cross_entropy_by_a_loop(self, world: World, built, items: Ids, kind: type[Fusion], chunk: int) -> None:
        fusion = built(kind)
        target_N = torch.arange(len(POSITIONS)) * 5 % N_ITEMS
        loss = CrossEntropy(torch.ones(N_ITEMS), chunk=chunk)
        value = loss(fusion(world.views()), target_N, items)
        value.backward()
        got = [p.grad.clone() for p in fusion.parameters()] + [p.grad.clone() for p in world.long.parameters()]
        got.append(items.table.weight.grad.clone())  # type: ignore[union-attr]
        for module in (fusion, world.long, items):
            module.zero_grad()
        fused, expected = fusion(world.views()), torch.zeros((), dtype=torch.float64)
        for n, target in enumerate(target_N.tolist()):
            one_1CD = items.candidates()[None]
            scores_C = fused.rows(slice(n, n + 1)).score_own(one_1CD)[0]
            expected = expected + torch.log(sum(s.exp() for s in scores_C)) - scores_C[target]  # type: ignore[arg-type]
        expected.backward()
        torch.testing.assert_close(value, expected, rtol=1e-10, atol=0)
        again = [p.grad for p in fusion.parameters()] + [p.grad for p in world.long.parameters()]
        for one, other in zip(got, [*again, items.table.weight.grad], strict=True):
            torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)

    @pytest.mark.parametrize("kind", AWARE)
    def test_a_gate_learns_which_view_explains_the_items(self, world: World, built, items, kind: type[Fusion]) -> None:
        fusion, target_N = built(kind), torch.arange(len(POSITIONS)) * 5 % N_ITEMS
        loss = CrossEntropy(torch.ones(N_ITEMS))
        learned = [*fusion.parameters(), *world.long.parameters(), *world.short.parameters()]
        optimizer, values = torch.optim.Adam(learned, lr=0.01), []
        for _ in range(30):
            value = loss(fusion(world.views()), target_N, items)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            values.append(value.item())
        assert values[-1] < 0.7 * values[0]


class TestRanking:
    @pytest.mark.parametrize("kind", AWARE)
    @pytest.mark.parametrize("chunk", [1, 4, 4096])
    def test_the_whole_catalogue_in_chunks(
        self, world: World, built: Callable[..., Fusion], kind: type[Fusion], chunk: int
    ) -> None:
        fused = built(kind)(world.views())
        target_N = torch.arange(len(fused)) * 7 % N_ITEMS
        seen_row_S, seen_item_S = torch.tensor([0, 0, 3]), torch.tensor([1, 2, 4])
        with torch.no_grad():
            dense = DenseScores(fused.score(world.candidates_CD).float())
            expected = count_better(dense, target_N, seen_row_S, seen_item_S)
            scores = CandidateScores(fused.double(), world.candidates_CD.double())
            got = count_better(scores, target_N, seen_row_S, seen_item_S, chunk=chunk)
        assert all(torch.equal(one, other) for one, other in zip(got, expected, strict=True))

    @pytest.mark.parametrize("kind", AWARE)
    def test_an_item_and_its_copy_tie_in_double(self, world: World, built, kind: type[Fusion]) -> None:
        """One is scored as the target, the other in a chunk: two sums in two orders that must round to one number."""
        fused = built(kind)(world.views())
        with torch.no_grad():
            copies_CD = world.candidates_CD.repeat(2, 1)
            target_N = torch.arange(len(fused)) % N_ITEMS
            nothing = torch.zeros(0, dtype=torch.int64)
            _, ties_N, _ = count_better(CandidateScores(fused.double(), copies_CD), target_N, nothing, nothing)
        assert (ties_N >= 1).all()


class TestErrors:
    @pytest.mark.parametrize("kind", [SLiRec, CLSR, FISSA])
    def test_a_gate_without_neurons(self, kind: type[Fusion]) -> None:
        with pytest.raises(UserError, match=r"fusion\.hidden=0.*at least 1 neuron"):
            kind(SIZES, hidden=0)  # type: ignore[call-arg]


def test_time_is_in_days_from_half_a_day_on(world: World) -> None:
    gaps = torch.tensor([0, 12 * HOUR, 24 * HOUR, 240 * HOUR])
    same(log_days(gaps, world.table)[:, 0], [np.log(0.5), np.log(0.5), 0, np.log(10)])
