"""Each promise of ``research.checks`` notices the part that breaks it, and lets one that keeps it pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.checks import encoders, fusions
from research.checks.encoders import check_encoder, rows_of
from research.checks.fusions import check_fusion
from research.data.batch import Positions
from research.encoders.base import Encoder
from research.encoders.bert4rec import Bert4Rec
from research.encoders.gru import GRU
from research.encoders.rows import Rows
from research.fusion.base import Fused, Fusion, StateFusion
from research.fusion.gated import Gated
from research.fusion.slirec import SLiRec
from research.sizes import Sizes
from research.views import Views
from research.windows.last_k import LastK

pytestmark = pytest.mark.usefixtures("one_thread")


class Sound(Encoder):
    """A running sum; what is broken below derives from it."""

    causal: ClassVar[bool] = True

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()

    def encode(self, rows: Rows) -> Tensor:
        return rows.x_BTD.cumsum(1)


class Peeks(Sound):
    def encode(self, rows: Rows) -> Tensor:
        return rows.x_BTD.cumsum(1) + 0.1 * rows.x_BTD.roll(-1, 1)


class Deaf(Sound):
    """Forgets the oldest item, and says that it reads all."""

    def encode(self, rows: Rows) -> Tensor:
        return rows.x_BTD.cumsum(1) - rows.x_BTD[:, :1]


class FarSighted(Sound):
    reach = 2


class KnowsTheEnd(Sound):
    """Counts days back from the end of the row, where most states are not yet."""

    needs_times = True

    def encode(self, rows: Rows) -> Tensor:
        assert rows.times_BT is not None
        return rows.x_BTD.cumsum(1) + (rows.times_BT[:, -1:, None] - rows.times_BT[:, :, None]) / 86_400


class ReadsTimesInSecret(Sound):
    def encode(self, rows: Rows) -> Tensor:
        assert rows.now_BT is not None
        return rows.x_BTD.cumsum(1) + rows.now_BT[:, :, None] / 86_400


class ReadsLengths(Sound):
    def encode(self, rows: Rows) -> Tensor:
        return rows.x_BTD.cumsum(1) / rows.length_B[:, None, None]


class LooksOverTheWindow(Sound):
    def short_view(self, rows: Rows, at: Positions, start_N: Tensor, initial_ND: Tensor | None = None) -> Tensor:
        return self.states(rows, at)


class DoublesWindows(Sound):
    def short_view(self, rows: Rows, at: Positions, start_N: Tensor, initial_ND: Tensor | None = None) -> Tensor:
        return 2 * super().short_view(rows, at, start_N, initial_ND)


class LikesCompany(Sound):
    def encode(self, rows: Rows) -> Tensor:
        return rows.x_BTD.cumsum(1) * rows.shape[0]


class ReadsPadding(Sound):
    def encode(self, rows: Rows) -> Tensor:
        return rows.x_BTD.cumsum(1) + rows.x_BTD.sum(1, keepdim=True)


class AnswersInReverse(Sound):
    def states(self, rows: Rows, at: Positions) -> Tensor:
        return super().states(rows, at).flip(0)


class Gambles(Sound):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        own = torch.Generator()
        own.seed()
        self.weight = nn.Parameter(torch.randn(sizes.width, generator=own))


class DropsInTests(Sound):
    def encode(self, rows: Rows) -> Tensor:
        return F.dropout(rows.x_BTD.cumsum(1), 0.5, training=True)


class NeverDrops(Sound):
    def __init__(self, sizes: Sizes, *, dropout: float = 0.1) -> None:
        super().__init__(sizes)


BROKEN_ENCODERS: list[tuple[type[Encoder], Callable]] = [
    (Peeks, encoders.a_later_item_never_changes_an_earlier_state),
    (Deaf, encoders.a_later_item_never_changes_an_earlier_state),
    (FarSighted, encoders.a_later_item_never_changes_an_earlier_state),
    (KnowsTheEnd, encoders.a_later_moment_never_changes_an_earlier_state),
    (ReadsTimesInSecret, encoders.a_later_moment_never_changes_an_earlier_state),
    (ReadsLengths, encoders.a_causal_encoder_needs_no_lengths),
    (DoublesWindows, encoders.a_window_over_everything_is_the_long_view),
    (LikesCompany, encoders.alone_or_in_a_batch_a_row_has_the_same_states),
    (ReadsPadding, encoders.alone_or_in_a_batch_a_row_has_the_same_states),
    (AnswersInReverse, encoders.only_what_is_asked_comes_back_and_in_order),
    (Gambles, encoders.a_seed_makes_the_same_weights),
    (DropsInTests, encoders.chance_is_for_training_only),
    (NeverDrops, encoders.chance_is_for_training_only),
]
BROKEN_IN_WINDOWS: list[tuple[type[Encoder], Callable]] = [
    (LooksOverTheWindow, encoders.nothing_from_outside_the_window_reaches_the_short_state),
    (Deaf, encoders.nothing_from_outside_the_window_reaches_the_short_state),
    (DoublesWindows, encoders.the_short_view_is_the_encoder_on_each_window_alone),
    (LooksOverTheWindow, encoders.gradients_stay_within_the_window_too),
]


class Mean(StateFusion):
    """Sound; what is broken below derives from it."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused((long_ND + short_ND) / 2, torch.full_like(long_ND[:, :2], 0.5))


class ThreeHalves(Mean):
    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused(long_ND + short_ND / 2, torch.full_like(long_ND[:, :2], 0.75))


class Forgets(Mean):
    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused(long_ND, None)


class ReadsUnsaid(Mean):
    branches = ("long",)


class Idle(Mean):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        self.weight = nn.Parameter(torch.ones(sizes.width))


class Normalises(Mean):
    """Over the batch."""

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        mean_ND = (long_ND + short_ND) / 2
        return Fused(mean_ND - mean_ND.mean(0), None)


class ReadsTimesUnsaid(Mean):
    def forward(self, views: Views) -> Fused:
        fused = super().forward(views)
        return replace(fused, interest_ND=fused.interest_ND * (1 + views.gap_N(9)[:, None] / 1e6))


class SeesTheEnd(Mean):
    def forward(self, views: Views) -> Fused:
        fused = super().forward(views)
        last = Positions(views.at.row_N, views.batch.length_B[views.at.row_N] - 1)
        return replace(fused, interest_ND=fused.interest_ND + last.of(views.rows.x_BTD[:, :, 0])[:, None])


@dataclass(frozen=True)
class Lopsided(Fused):
    def score_own(self, candidates_NCD: Tensor) -> Tensor:
        return 2 * super().score_own(candidates_NCD)


class ScoresInTwoWays(Mean):
    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Lopsided((long_ND + short_ND) / 2, None)


class Cancels(Mean):
    """A small difference of large numbers."""

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        mean_ND = (long_ND + short_ND) / 2
        return Fused((mean_ND @ torch.eye(mean_ND.shape[1], dtype=mean_ND.dtype) + 500) - 500, None)


class Forgetful(Fused):
    def double(self) -> Fused:
        return Fused(self.interest_ND.double(), None)


class ForgetsItsKind(Mean):
    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Forgetful((long_ND + short_ND) / 2, None)


BROKEN_FUSIONS: list[tuple[type[Fusion], Callable]] = [
    (ThreeHalves, fusions.weights_are_shares),
    (Forgets, fusions.exactly_the_branches_that_it_names_are_read),
    (ReadsUnsaid, fusions.exactly_the_branches_that_it_names_are_read),
    (ReadsUnsaid, fusions.a_branch_that_is_not_named_need_not_be_built),
    (Idle, fusions.every_parameter_is_used),
    (Normalises, fusions.a_position_is_fused_alone),
    (ReadsTimesUnsaid, fusions.times_are_declared_when_they_are_read),
    (SeesTheEnd, fusions.later_items_and_their_moments_change_nothing),
    (ScoresInTwoWays, fusions.rows_and_both_ways_to_score_agree),
    (Cancels, fusions.in_mixed_precision_it_is_nearly_the_same),
    (ForgetsItsKind, fusions.in_double_it_is_the_same),
]


def named(pair: object) -> str:
    return getattr(pair, "__name__", str(pair))


@pytest.mark.parametrize(("broken", "promise"), BROKEN_ENCODERS, ids=named)
def test_a_broken_encoder_is_noticed(broken: type[Encoder], promise: Callable) -> None:
    with pytest.raises(AssertionError):
        promise(broken)
    with pytest.raises(AssertionError):
        check_encoder(broken)


@pytest.mark.parametrize(("broken", "promise"), BROKEN_IN_WINDOWS, ids=named)
def test_an_encoder_that_breaks_its_window_is_noticed(broken: type[Encoder], promise: Callable) -> None:
    with pytest.raises(AssertionError):
        promise(broken, LastK(k=3))


@pytest.mark.parametrize(("broken", "promise"), BROKEN_FUSIONS, ids=named)
def test_a_broken_fusion_is_noticed(broken: type[Fusion], promise: Callable) -> None:
    with pytest.raises(AssertionError):
        promise(broken)
    with pytest.raises(AssertionError):
        check_fusion(broken)


def test_every_promise_has_its_breaker() -> None:
    """A promise that nothing can break says nothing."""
    assert {promise for _, promise in BROKEN_ENCODERS} == set(encoders.PROMISES)
    assert {promise for _, promise in BROKEN_IN_WINDOWS} == set(encoders.PROMISES_OF_WINDOWS)
    assert {promise for _, promise in BROKEN_FUSIONS} == set(fusions.PROMISES)


@pytest.mark.parametrize("make", [Sound, GRU, Bert4Rec, partial(GRU, layers=2)])
def test_a_sound_encoder_passes(make: Callable[..., Encoder]) -> None:
    check_encoder(make)


@pytest.mark.parametrize("make", [Mean, Gated, SLiRec, partial(Gated, elementwise=False)])
def test_a_sound_fusion_passes(make: Callable[..., Fusion]) -> None:
    check_fusion(make)


def test_the_rows_of_a_batch_are_those_of_the_checks() -> None:
    """What a window reads and what an encoder reads are the same histories."""
    batch = encoders.rows_as_batch()
    rows = rows_of(torch.zeros(4, encoders.T, 1), batch.length_B)
    real_BT = batch.items_BT > 0
    assert torch.equal(rows.real_BT, real_BT) and real_BT.sum(1).tolist() == [11, 4, 8, 1]
    assert torch.equal(rows.times_BT[real_BT], batch.times_BT[real_BT])  # type: ignore[index]
