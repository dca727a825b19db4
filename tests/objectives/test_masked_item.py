"""Hidden items: what is hidden is really hidden, how many there are, and that a generator repeats them.

Shape legend: B rows, T positions, N supervised positions.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch

from research.encoders.base import Encoder
from research.errors import UserError
from research.fusion.gated import Gated
from research.items.ids import Ids
from research.model import InterestModel
from research.objectives.base import Supervised
from research.objectives.masked_item import MaskedItem
from research.sizes import Sizes
from research.windows.last_k import LastK

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = Sizes(8, 12, n_items=40, n_users=10)
MASK = 41
ROWS = [list(range(1, 13)), [20, 21, 22], [30], [5, 6, 5, 6, 5, 6, 5]]


def draw(objective: MaskedItem, batch, seed: int):
    return objective.supervise(batch, np.random.default_rng(seed))


@pytest.fixture
def batch(make_batch):
    return make_batch(ROWS)


class TestExact:
    def test_inputs_are_the_rows_with_the_mask_where_it_is_asked(self, batch) -> None:
        for seed in range(20):
            supervised = draw(MaskedItem(MASK, rate=0.3), batch, seed)
            asked = list(zip(supervised.at.row_N.tolist(), supervised.at.position_N.tolist(), strict=True))
            assert supervised.target_N.tolist() == [ROWS[row][position] for row, position in asked]
            assert asked == sorted(asked)
            for row, items in enumerate(ROWS):
                expected = [MASK if (row, t) in asked else item for t, item in enumerate(items)]
                assert supervised.batch.items_BT[row].tolist() == expected + [0] * (12 - len(items))
            assert torch.equal(supervised.batch.length_B, batch.length_B)
            assert torch.equal(supervised.batch.times_BT, batch.times_BT)

    def test_the_batch_that_was_given_is_not_written_to(self, batch) -> None:
        before = batch.items_BT.clone()
        draw(MaskedItem(MASK), batch, 0)
        assert torch.equal(batch.items_BT, before)

    @pytest.mark.parametrize("last_only", [0.0, 0.5, 1.0])
    def test_every_row_has_a_target(self, batch, last_only: float) -> None:
        for seed in range(100):
            supervised = draw(MaskedItem(MASK, rate=0.01, last_only=last_only), batch, seed)
            assert set(supervised.at.row_N.tolist()) == {0, 1, 2, 3}

    def test_with_last_only_as_a_test_does(self, batch) -> None:
        supervised = draw(MaskedItem(MASK, rate=0.9, last_only=1.0), batch, 0)
        assert supervised.at.row_N.tolist() == [0, 1, 2, 3]
        assert supervised.at.position_N.tolist() == [11, 2, 0, 6]

    def test_a_query_appends_the_mask(self, make_batch) -> None:
        asked, at = MaskedItem(MASK).query(make_batch([[1, 2, 3], [4]], [[10, 20, 30], [7]]), torch.tensor([35, 99]))
        assert asked.now_BT.tolist() == [[10, 20, 30, 35], [7, 99, 7, 7]]
        assert asked.items_BT.tolist() == [[1, 2, 3, MASK], [4, MASK, 0, 0]]
        assert asked.times_BT.tolist() == [[10, 20, 30, 30], [7, 7, 7, 7]]
        assert asked.length_B.tolist() == [4, 2]
        assert (at.row_N.tolist(), at.position_N.tolist()) == ([0, 1], [3, 1])


class TestChance:
    def test_rate(self, make_batch) -> None:
        batch = make_batch([[1] * 200] * 100)
        supervised = draw(MaskedItem(MASK, rate=0.2, last_only=0.0), batch, 0)
        assert len(supervised.at) / 20_000 == pytest.approx(0.2, abs=4 * math.sqrt(0.2 * 0.8 / 20_000))
        places = Counter((supervised.at.position_N // 50).tolist())
        assert all(places[quarter] / 5000 == pytest.approx(0.2, abs=4 * math.sqrt(0.16 / 5000)) for quarter in range(4))

    def test_the_one_that_a_short_row_must_hide_is_any_of_them(self, make_batch) -> None:
        batch = make_batch([[1, 2, 3]] * 3000)
        supervised = draw(MaskedItem(MASK, rate=1e-6, last_only=0.0), batch, 0)
        assert len(supervised.at) == 3000
        share = torch.bincount(supervised.at.position_N) / 3000
        assert share.tolist() == pytest.approx([1 / 3] * 3, abs=4 * math.sqrt(2 / 9 / 3000))

    def test_the_generator_alone_decides(self, batch) -> None:
        def asked(seed: int) -> list[tuple[int, int]]:
            at = draw(MaskedItem(MASK, rate=0.3), batch, seed).at
            return list(zip(at.row_N.tolist(), at.position_N.tolist(), strict=True))

        torch.manual_seed(0)
        first = asked(3)
        torch.manual_seed(1)
        assert asked(3) == first
        assert len({tuple(asked(seed)) for seed in range(10)}) > 5
        random = np.random.default_rng(3)
        objective = MaskedItem(MASK, rate=0.3)
        one, two = (objective.supervise(batch, random).batch.items_BT for _ in range(2))
        assert not torch.equal(one, two), "the next epoch hides others"

    @pytest.mark.parametrize(("rate", "last_only"), [(0.2, 0.1), (0.6, 0.0), (0.05, 0.7), (0.5, 1.0)])
    def test_expected_is_the_mean_over_many_draws(self, make_batch, rate: float, last_only: float) -> None:
        lengths, copies = [1, 2, 3, 10, 40], 4000
        objective, random = MaskedItem(MASK, rate=rate, last_only=last_only), np.random.default_rng(0)
        expected = objective.expected(np.array(lengths))
        for length, value in zip(lengths, expected, strict=True):
            at = objective.supervise(make_batch([[1] * length] * copies), random).at
            counts = torch.bincount(at.row_N, minlength=copies).double()
            bound = 4 * float(counts.std()) / math.sqrt(copies) + 1e-12
            assert float(counts.mean()) == pytest.approx(value, abs=bound), length


def told(model: InterestModel, supervised: Supervised) -> tuple[torch.Tensor, ...]:
    views = model.views(supervised.batch, supervised.at)
    return views.long_ND, views.short_ND, model.fusion(views).interest_ND


class TestLeaksNothing:
    def test_a_hidden_item_changes_neither_inputs_nor_states(self, make_batch, encoder_class: type[Encoder]) -> None:
        torch.manual_seed(0)
        items = Ids(SIZES, std=1.0)
        long, short = encoder_class(SIZES), encoder_class(SIZES)  # type: ignore[call-arg]
        if long.interests > 1:
            pytest.skip("several interests have fusions of their own")
        model = InterestModel(items, Gated(SIZES), long=long, short=short, window=LastK(k=4)).eval()
        objective = MaskedItem(items.mask_token, rate=0.3)
        supervised = draw(objective, make_batch(ROWS), 5)
        before = told(model, supervised)
        changed_rows = [list(row) for row in ROWS]
        for row, position in zip(supervised.at.row_N.tolist(), supervised.at.position_N.tolist(), strict=True):
            changed_rows[row][position] = 40 - row  # whatever was there
        changed = draw(objective, make_batch(changed_rows), 5)
        assert not torch.equal(changed.target_N, supervised.target_N)
        assert torch.equal(changed.batch.items_BT, supervised.batch.items_BT)
        after = told(model, changed)
        assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))

    def test_the_mask_is_no_item(self) -> None:
        items = Ids(SIZES)
        assert items.mask_token == 41 == MASK
        assert items.candidates().shape == (40, 8), "it can be read, never recommended"
        assert torch.equal(items.candidates(), items(torch.arange(1, 41)))
        assert items(torch.tensor([MASK])).shape == (1, 8)


@pytest.mark.parametrize(("rate", "last_only"), [(0.0, 0.1), (1.0, 0.1), (-0.2, 0.1), (0.2, -0.1), (0.2, 1.1)])
def test_probabilities_out_of_range(rate: float, last_only: float) -> None:
    with pytest.raises(UserError, match=rf"objective\.rate={rate}, objective\.last_only={last_only}"):
        MaskedItem(MASK, rate=rate, last_only=last_only)
