"""Augmentations: what may change and what may not, how often, and that nothing depends on what else is switched on.

Shape legend: B rows, T positions.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from research.augmentation.base import Augmented
from research.augmentation.crop import Crop
from research.augmentation.insert import Insert
from research.augmentation.mask import Mask
from research.augmentation.reorder import Reorder
from research.config import options
from research.data.batch import Batch
from research.errors import UserError
from research.objectives.base import Supervised
from research.objectives.masked_item import MaskedItem
from research.objectives.next_item import NextItem
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")

N_ITEMS, LONGEST = 100, 14
SIZES = Sizes(8, LONGEST, n_items=N_ITEMS)
NOISE = range(50, N_ITEMS + 1)
"""Items of the rows are numbered from 1 in order of time, so order and origin can be read off them."""


@pytest.fixture
def batch(make_batch) -> Batch:
    lengths = [15, 10, 2, 7, 3, 5] * 30
    rows = [list(range(1, n + 1)) for n in lengths]
    return make_batch(rows, [[100 * i for i in row] for row in rows])


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rows_of(batch: Batch) -> list[list[int]]:
    for row, n in zip(batch.items_BT.tolist(), batch.length_B.tolist(), strict=True):
        assert all(item > 0 for item in row[:n]), "right padding"
    return [row[:n] for row, n in zip(batch.items_BT.tolist(), batch.length_B.tolist(), strict=True)]


class TestCrop:
    def test_a_contiguous_part_is_left(self, batch: Batch) -> None:
        cropped = Crop(SIZES, 2, probability=0.5, ratio=0.6).history(batch, random())
        assert all(not any(row[n:]) for row, n in zip(cropped.items_BT.tolist(), cropped.length_B, strict=True))
        shrunk, starts = 0, set()
        for before, after in zip(rows_of(batch), rows_of(cropped), strict=True):
            assert after == list(range(after[0], after[-1] + 1))
            assert len(after) in (len(before), max(2, int(0.6 * len(before))))
            shrunk += len(after) < len(before)
            starts.add(after[0])
        # Rows of two items cannot shrink: five of six can, and half of those are chosen (150 draws, 4 deviations).
        assert abs(shrunk - 75) < 4 * np.sqrt(150 / 4) and len(starts) > 4
        assert cropped.items_BT.shape == cropped.times_BT.shape == cropped.now_BT.shape

    def test_times_go_with_their_items(self, batch: Batch) -> None:
        cropped = Crop(SIZES, 2, probability=1.0).history(batch, random())
        for b, row in enumerate(rows_of(cropped)):
            assert cropped.times_BT[b, : len(row)].tolist() == [100 * i for i in row]
            assert set(cropped.times_BT[b, len(row) :].tolist()) <= {100 * row[-1]}
            assert cropped.now_BT[b, : len(row) - 1].tolist() == [100 * i for i in row[1:]]

    @pytest.mark.parametrize("objective", [NextItem(N_ITEMS + 1), MaskedItem(N_ITEMS + 1, rate=0.3)])
    def test_the_expected_positions_are_those_that_come(self, batch: Batch, objective) -> None:
        """The constant that losses are divided by must follow."""
        augmented = Augmented(objective, {"crop": Crop(SIZES, objective.span + 1, probability=0.7, ratio=0.5)})
        counts = [len(augmented.supervise(batch, random(seed)).at) for seed in range(60)]
        expected = float(augmented.expected(batch.length_B.numpy()).sum())
        assert np.mean(counts) == pytest.approx(expected, abs=4 * np.std(counts) / np.sqrt(60))
        assert expected < 0.9 * float(objective.expected(batch.length_B.numpy()).sum())


class TestReorder:
    def test_a_stretch_changes_places(self, batch: Batch) -> None:
        reordered = Reorder(SIZES, 2, probability=1.0, ratio=0.4).history(batch, random())
        moved = 0
        for before, after in zip(rows_of(batch), rows_of(reordered), strict=True):
            assert sorted(after) == before
            places = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
            if places:
                assert places[-1] - places[0] < int(0.4 * len(before))
                moved += 1
        assert moved > 30
        assert torch.equal(reordered.times_BT, batch.times_BT)

    def test_how_many(self, batch: Batch) -> None:
        reordered = Reorder(SIZES, 2, probability=0.25, ratio=1.0).history(batch, random())
        long = [(a, b) for a, b in zip(rows_of(batch), rows_of(reordered), strict=True) if len(a) >= 7]
        moved = sum(a != b for a, b in long)
        assert abs(moved - 0.25 * len(long)) < 4 * np.sqrt(0.25 * 0.75 * len(long))


class TestRead:
    def supervised(self, batch: Batch) -> Supervised:
        return NextItem(N_ITEMS + 1).supervise(batch, random())

    def test_masked_items_are_still_right_answers(self, batch: Batch) -> None:
        before = self.supervised(batch)
        after = Mask(SIZES, 2, rate=0.3).read(before, random())
        assert torch.equal(after.target_N, before.target_N) and after.at is before.at
        real_BT = before.batch.items_BT > 0
        hidden_BT = after.batch.items_BT == N_ITEMS + 1
        assert torch.equal(after.batch.items_BT[~hidden_BT], before.batch.items_BT[~hidden_BT])
        assert not (hidden_BT & ~real_BT).any()
        n = int(real_BT.sum())
        assert abs(int(hidden_BT.sum()) - 0.3 * n) < 4 * np.sqrt(0.21 * n)

    def test_noise_is_never_a_right_answer(self, batch: Batch) -> None:
        before = self.supervised(batch)
        insert = Insert(SIZES, 2, probability=0.5, ratio=0.5)
        # Noise that can be told apart from the rows' own items, which are numbered up to 15.
        noise = _Noise(random())
        after = insert.read(before, noise)  # type: ignore[arg-type]
        assert torch.equal(after.target_N, before.target_N), "the same questions in the same order"
        assert torch.equal(after.at.row_N, before.at.row_N)
        # Each question is asked behind the very item behind which it was asked.
        assert torch.equal(after.at.of(after.batch.items_BT), before.at.of(before.batch.items_BT))
        assert torch.equal(after.at.of(after.batch.times_BT), before.at.of(before.batch.times_BT))
        assert torch.equal(after.at.of(after.batch.now_BT), before.at.of(before.batch.now_BT))
        assert noise.asked == (1, N_ITEMS + 1)
        grown = 0
        for b, (old, new) in enumerate(zip(rows_of(before.batch), rows_of(after.batch), strict=True)):
            assert [i for i in new if i not in NOISE] == old
            assert len(new) <= LONGEST
            assert len(new) - len(old) in (0, min(int(0.5 * len(old)), LONGEST - len(old)))
            grown += len(new) > len(old)
            times = after.batch.times_BT[b].tolist()
            assert times == sorted(times)
            for place, item in enumerate(new[1:], start=1):
                if item in NOISE:
                    assert times[place] == times[place - 1], "noise has the time of the one before it"
        # Rows of 9, 6, 4 and 2 items that are read can grow, 30 of each.
        assert abs(grown - 60) < 4 * np.sqrt(120 / 4)

    def test_a_full_row_stays_as_it_is(self, batch: Batch) -> None:
        before = self.supervised(batch)
        after = Insert(SIZES, 2, probability=1.0, ratio=1.0).read(before, random())
        full = (before.batch.length_B == LONGEST).nonzero().flatten()
        assert len(full) and torch.equal(after.batch.items_BT[full, :LONGEST], before.batch.items_BT[full])

    def test_with_hidden_items_too(self, batch: Batch) -> None:
        """Under the masked objective the asked positions still hold the mask."""
        objective = MaskedItem(N_ITEMS + 1)
        supervised = Augmented(objective, {"insert": Insert(Sizes(8, 30, n_items=N_ITEMS), 1)}).supervise(
            batch, random()
        )
        assert (supervised.at.of(supervised.batch.items_BT) == N_ITEMS + 1).all()


class _Noise:
    """A generator whose whole numbers are items that no row has."""

    def __init__(self, inner: np.random.Generator) -> None:
        self.inner, self.asked = inner, (0, 0)

    def random(self, *args, **kwargs):
        return self.inner.random(*args, **kwargs)

    def integers(self, low: int, high: int, size):
        self.asked = (low, high)
        return self.inner.integers(NOISE[0], NOISE[-1] + 1, size=size)


KINDS = {"crop": Crop, "insert": Insert, "mask": Mask, "reorder": Reorder}


class TestStreams:
    @pytest.mark.parametrize("objective", [NextItem(N_ITEMS + 1), MaskedItem(N_ITEMS + 1)])
    def test_none_is_the_plain_objective(self, batch: Batch, objective) -> None:
        one, other = objective.supervise(batch, random()), Augmented(objective, {}).supervise(batch, random())
        assert torch.equal(one.batch.items_BT, other.batch.items_BT) and torch.equal(one.target_N, other.target_N)
        assert np.array_equal(Augmented(objective, {}).expected(np.arange(1, 9)), objective.expected(np.arange(1, 9)))

    def test_it_repeats_and_follows_the_seed(self, batch: Batch) -> None:
        augmented = Augmented(NextItem(N_ITEMS + 1), {name: kind(SIZES, 2) for name, kind in KINDS.items()})
        items = [augmented.supervise(batch, random(seed)).batch.items_BT.tolist() for seed in (1, 1, 2)]
        assert items[0] == items[1] != items[2]

    def test_the_order_in_which_they_are_named_plays_no_part(self, batch: Batch) -> None:
        made = {name: kind(SIZES, 2) for name, kind in KINDS.items()}
        turned = dict(reversed(made.items()))
        one, other = (Augmented(NextItem(N_ITEMS + 1), m).supervise(batch, random()) for m in (made, turned))
        assert torch.equal(one.batch.items_BT, other.batch.items_BT)

    def test_each_draws_from_its_own_stream(self, batch: Batch) -> None:
        """Masking hides the same places whether or not rows are shuffled, and the objective's own draws stay."""
        objective = NextItem(N_ITEMS + 1)
        alone = Augmented(objective, {"mask": Mask(SIZES, 2)}).supervise(batch, random())
        both = Augmented(objective, {"mask": Mask(SIZES, 2), "reorder": Reorder(SIZES, 2)}).supervise(batch, random())
        hidden = [x.batch.items_BT == N_ITEMS + 1 for x in (alone, both)]
        assert torch.equal(*hidden) and not torch.equal(alone.batch.items_BT, both.batch.items_BT)
        hiding = MaskedItem(N_ITEMS + 1)
        plain, noisy = hiding, Augmented(hiding, {"reorder": Reorder(SIZES, 1)})
        assert torch.equal(
            plain.supervise(batch, random()).at.position_N, noisy.supervise(batch, random()).at.position_N
        )

    def test_a_query_is_not_augmented(self, batch: Batch) -> None:
        objective = NextItem(N_ITEMS + 1)
        augmented = Augmented(objective, {"mask": Mask(SIZES, 2, rate=1.0)})
        now_B = torch.zeros(len(batch.length_B), dtype=torch.int64)
        assert torch.equal(augmented.query(batch, now_B)[0].items_BT, batch.items_BT)


def test_every_augmentation_has_a_file() -> None:
    assert set(options("augmentation")) == set(KINDS)


@pytest.mark.parametrize("kind", [Crop, Insert, Reorder])
def test_wrong_settings(kind) -> None:
    for setting in ("probability", "ratio"):
        for value in (0, 1.5):
            with pytest.raises(UserError, match=rf"{setting}={value}"):
                kind(SIZES, 2, **{setting: value})


def test_wrong_rate() -> None:
    with pytest.raises(UserError, match=r"augmentation\.mask\.rate=0"):
        Mask(SIZES, 2, rate=0)
