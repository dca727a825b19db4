"""The control that shuffles views: what a state may depend on, that every order occurs, and when it is drawn.

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch
from torch import Tensor

from research.config import canonical, compose
from research.data.batch import Positions
from research.data.split import Spans
from research.encoders.base import Encoder
from research.encoders.caser import Caser
from research.encoders.gru import GRU
from research.encoders.mean import Mean
from research.encoders.rows import Rows
from research.encoders.transformer import Transformer
from research.errors import UserError
from research.shuffle import Shuffle, ShuffledEncoder, drawn
from research.sizes import Sizes
from research.training.assemble import assemble
from research.training.compatible import check_compatible

pytestmark = pytest.mark.usefixtures("one_thread")

B, T, D, K = 40, 7, 4, 3
SIZES = Sizes(D, T, n_items=9, n_users=B)


@pytest.fixture
def rows() -> Rows:
    x_BTD = torch.randn(B, T, D, generator=torch.Generator().manual_seed(0))
    return Rows(x_BTD, torch.full((B,), T), torch.arange(T).expand(B, T), torch.arange(B))


@pytest.fixture
def at() -> Positions:
    return Positions.where(torch.ones(B, T, dtype=torch.bool))


def start_of(at: Positions) -> Tensor:
    return (at.position_N - K + 1).clamp(min=0)


def made(encoder: type[Encoder], seed: int = 5, **when: bool) -> ShuffledEncoder:
    torch.manual_seed(0)
    return ShuffledEncoder(encoder(SIZES, dropout=0.0), Shuffle(**{"long": True, "short": True, **when}), seed).eval()


def in_training(encoder: ShuffledEncoder, on: bool) -> ShuffledEncoder:
    torch.manual_seed(3)
    return encoder.train(on)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("encoder_type", [GRU, Transformer])
@pytest.mark.parametrize("long", [False, True])
def test_nothing_from_outside_the_view(rows: Rows, at: Positions, encoder_type, training: bool, long: bool) -> None:
    """Exactly the states whose view has the item move: none before it, so no answer is read, and none behind it."""
    encoder = made(encoder_type)
    start_N = None if long else start_of(at)
    before_ND = in_training(encoder, training)(rows, at, start_N)
    for t in range(T):
        x_BTD = rows.x_BTD.clone()
        x_BTD[:, t, 0] += 10.0
        changed = Rows(x_BTD, rows.length_B, rows.times_BT, rows.users_B)
        moved_N = (in_training(encoder, training)(changed, at, start_N) - before_ND).abs().amax(1) > 1e-6
        inside_N = (at.position_N >= t) & ((0 if start_N is None else start_N) <= t)
        assert torch.equal(moved_N, inside_N), t


@pytest.mark.parametrize("training", [False, True])
def test_a_state_is_that_of_one_of_the_orders_and_all_occur(rows: Rows, at: Positions, training: bool) -> None:
    encoder = made(GRU)
    found_ND = in_training(encoder, training)(rows, at, start_of(at))
    which = []
    for n in range(len(at)):
        row, end = int(at.row_N[n]), int(at.position_N[n])
        view = rows.x_BTD[row, max(0, end - K + 1) : end + 1]
        orders = list(permutations(range(len(view))))
        lone = Rows(torch.stack([view[list(order)] for order in orders]), torch.full((len(orders),), len(view)))
        each_OD = encoder.encoder.encode(lone)[:, -1]
        distance_O = (each_OD - found_ND[n]).abs().amax(1)
        assert distance_O.min() < 1e-5, n
        if len(view) == K:
            which.append(int(distance_O.argmin()))
    count = np.bincount(which, minlength=6)
    n = len(which)
    assert n == B * (T - K + 1) and (abs(count - n / 6) < 4 * np.sqrt(n * 5 / 36)).all(), count


def test_what_has_no_order_loses_nothing(rows: Rows, at: Positions) -> None:
    for start_N in (None, start_of(at)):
        encoder = made(Mean)
        torch.testing.assert_close(encoder(rows, at, start_N), encoder.encoder(rows, at, start_N))


def test_places_keep_their_times(rows: Rows, at: Positions) -> None:
    class Times(Mean):
        def states(self, rows: Rows, at: Positions) -> Tensor:
            assert rows.times_BT is not None
            assert (rows.times_BT.diff(dim=1) >= 0).all()
            return at.of(rows.times_BT)[:, None].float()

    assert torch.equal(made(Times)(rows, at, start_of(at)).squeeze(1), at.position_N.float())


def test_a_test_is_drawn_from_seed_user_and_position_alone(rows: Rows, at: Positions) -> None:
    encoder = made(GRU)
    all_ND = encoder(rows, at)
    torch.manual_seed(99)
    assert torch.equal(encoder(rows, at), all_ND)
    some = slice(10, 13)
    few = Rows(rows.x_BTD[some], rows.length_B[some], rows.times_BT[some], rows.users_B[some])
    last = Positions.last(few.length_B)
    torch.testing.assert_close(encoder(few, last), all_ND[at.position_N == T - 1][some])
    assert not torch.allclose(made(GRU, seed=6)(rows, at), all_ND)


def test_training_draws_anew_every_step(rows: Rows, at: Positions) -> None:
    encoder = in_training(made(GRU), True)
    first_ND = encoder(rows, at)
    assert not torch.allclose(encoder(rows, at), first_ND)
    assert torch.equal(in_training(encoder, True)(rows, at), first_ND), "a resumed epoch draws the same"


@pytest.mark.parametrize(
    ("when", "long", "short", "training"),
    [
        ({"long": False}, False, True, False),
        ({"short": False}, True, False, False),
        ({"training": False}, True, True, False),
        ({"training": False}, False, False, True),
        ({"evaluation": False}, False, False, False),
        ({"evaluation": False}, True, True, True),
    ],
)
def test_which_view_and_when(rows: Rows, at: Positions, when, long: bool, short: bool, training: bool) -> None:
    encoder = in_training(made(GRU, **when), training)
    plain = encoder.encoder
    assert torch.allclose(encoder(rows, at), plain(rows, at), atol=1e-6) is not long
    shown = encoder(rows, at, start_of(at)), plain(rows, at, start_of(at))
    assert torch.allclose(*shown, atol=1e-6) is not short


def test_the_state_to_begin_from_is_kept(rows: Rows) -> None:
    at = Positions.last(rows.length_B)
    lone_N = at.position_N  # windows of one item have one order
    initial_ND = torch.randn(B, D)
    encoder = made(GRU)
    torch.testing.assert_close(encoder(rows, at, lone_N, initial_ND), encoder.encoder(rows, at, lone_N, initial_ND))


def test_an_encoder_of_the_latest_items_reads_the_same_ones(rows: Rows) -> None:
    torch.manual_seed(0)
    caser = Caser(SIZES, items=2, horizontal=2, vertical=1, dropout=0.0)
    encoder = ShuffledEncoder(caser, Shuffle(long=True, short=True), 5).eval()
    at = Positions.last(rows.length_B)
    before_ND = encoder(rows, at)
    moved = []
    for t in range(T):
        x_BTD = rows.x_BTD.clone()
        x_BTD[:, t, 0] += 10.0
        changed = Rows(x_BTD, rows.length_B, rows.times_BT, rows.users_B)
        moved.append(bool((encoder(changed, at) - before_ND).abs().max() > 1e-6))
    assert moved == [False] * (T - 2) + [True] * 2


def test_the_draw_is_uniform() -> None:
    number_CL = drawn(7, torch.arange(500), torch.full((500,), 3), 20).numpy()
    assert number_CL.shape == (500, 20) and number_CL.min() >= 0 and number_CL.max() < 1
    count = np.histogram(number_CL, bins=10, range=(0, 1))[0]
    assert (abs(count - 1000) < 4 * np.sqrt(900)).all(), count
    assert abs(np.corrcoef(number_CL[:-1].ravel(), number_CL[1:].ravel())[0, 1]) < 4 / 100
    assert not np.array_equal(drawn(8, torch.arange(5), torch.zeros(5, dtype=torch.long), 4), number_CL[:5, :4])


class TestOfARun:
    """As a configuration says it."""

    def test_weights_are_those_of_a_run_in_order(self, simulated) -> None:
        train = Spans(np.arange(simulated.n_users), simulated.offsets[:-1], simulated.offsets[1:] - 2)
        plain, control = (
            assemble(compose(["width=8", *words]), simulated, train).model for words in ([], ["shuffle=both"])
        )
        assert isinstance(control.long, ShuffledEncoder) and isinstance(control.short, ShuffledEncoder)
        one, other = (list(model.parameters()) for model in (plain, control))
        assert len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))

    def test_nothing_shuffled_is_the_same_run(self) -> None:
        assert "shuffle" not in canonical(compose([]))
        for fusion, view in (("long_only", "short"), ("short_only", "long")):
            words = [f"fusion={fusion}"]
            assert canonical(compose([*words, f"shuffle={view}"])) == canonical(compose(words))
            assert canonical(compose([*words, "shuffle=both"])) == canonical(
                compose([*words, f"shuffle={'long' if view == 'short' else 'short'}"])
            )
        assert canonical(compose(["shuffle=long"])) != canonical(compose(["shuffle=short"]))

    @pytest.mark.parametrize("fusion", ["cross_attention", "clsr", "fissa", "item_similarity"])
    def test_a_fusion_that_reads_the_order_itself_is_refused(self, fusion: str) -> None:
        with pytest.raises(UserError, match=f"fusion={fusion} reads the order.*fusion=gated"):
            check_compatible(compose([f"fusion={fusion}", "shuffle=short"]))

    def test_hidden_items_are_refused(self) -> None:
        with pytest.raises(UserError, match=r"objective=masked_item.*shuffle=null"):
            check_compatible(compose(["model=bert4rec", "shuffle=long"]))

    def test_all_states_of_a_row_are_refused(self, rows: Rows) -> None:
        with pytest.raises(UserError, match="no order of their own"):
            made(GRU).encode(rows)

    @pytest.mark.parametrize("off", [("long", "short"), ("training", "evaluation")])
    def test_a_control_that_does_nothing_is_refused(self, off: tuple[str, str]) -> None:
        with pytest.raises(UserError, match="nothing is shuffled"):
            Shuffle(**{"long": True, "short": True, **dict.fromkeys(off, False)})
