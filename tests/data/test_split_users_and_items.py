"""Folds of users, cold users, cold items: by hand, the draw, and what a training batch sees of cold items."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from research.data.batch import cut_spans
from research.data.draw import drawn, shuffled_place
from research.data.split import LeaveOneOut, Spans
from research.data.splits.item_cold import ItemCold
from research.data.splits.user_cold import UserCold
from research.data.splits.user_k_fold import UserKFold
from research.errors import UserError
from research.objectives.next_item import NextItem
from research.training.data import HistoryData


class TestDraw:
    IDS = np.array([f"user {n}" for n in range(1000)])

    def test_it_is_a_permutation_that_depends_on_the_seed(self) -> None:
        first, second = shuffled_place(self.IDS, 0), shuffled_place(self.IDS, 1)
        assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(1000))
        assert (first == second).sum() < 20 and (first == np.arange(1000)).sum() < 20

    def test_a_name_keeps_its_order_whatever_stands_beside_it(self) -> None:
        """Longer names beside it widen the array; another order of names moves rows only."""
        place = shuffled_place(self.IDS, 3)
        wider = shuffled_place(np.concatenate([self.IDS[::-1], ["a much longer name than the others"]]), 3)
        assert np.argsort(place).tolist() == (999 - np.argsort(wider)[np.argsort(wider) < 1000]).tolist()

    def test_every_place_is_as_likely(self) -> None:
        """How often one name is among a tenth, over seeds: binomial, within five standard deviations."""
        often = sum(bool(drawn(self.IDS[:50], 0.1, seed)[7]) for seed in range(1000))
        assert abs(often - 100) < 5 * np.sqrt(1000 * 0.1 * 0.9)

    def test_the_share_is_rounded_down_to_no_less_than_one(self) -> None:
        assert [int(drawn(self.IDS[:n], 0.3, 0).sum()) for n in (1, 3, 4, 10, 11)] == [1, 1, 1, 3, 3]
        assert 0.29 * 100 < 29 == drawn(self.IDS[:100], 0.29, 0).sum()

    def test_the_draw_stays_what_it_is(self) -> None:
        """A published table names a seed: another draw under the same seed would be another protocol."""
        assert shuffled_place(np.array(["a", "b", "c", "d", "e", "f"]), 0).tolist() == [3, 4, 5, 2, 0, 1]

    @pytest.mark.parametrize("seed", [0, 12])
    def test_by_python_integers(self, seed: int) -> None:
        modulo = 2**64

        def mixed(h: int) -> int:
            h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9 % modulo
            h = (h ^ (h >> 27)) * 0x94D049BB133111EB % modulo
            return h ^ (h >> 31)

        def hashed(name: str) -> int:
            h = mixed((0xCBF29CE484222325 + seed) % modulo)
            for letter in name:
                h = (h ^ ord(letter)) * 0x100000001B3 % modulo
            return mixed(h)

        names = ["", "7", "é", "a longer name", "\U0001f642"]
        order = sorted(names, key=hashed)
        assert shuffled_place(np.array(names), seed).tolist() == [order.index(name) for name in names]


class TestUserKFold:
    def folds(self, histories, **keys) -> list:
        return [UserKFold(k=5, fold=fold, **keys)(histories) for fold in range(5)]

    def test_by_hand(self, make_histories) -> None:
        histories = make_histories([1, 2, 3], [4], [5, 6], [7, 8, 9, 1])
        fold_U = shuffled_place(histories.user_ids, 0) * 3 // 4
        split = next(s for s in (self.attempt(histories, fold) for fold in range(3)) if s)
        test = int(split.name.split("fold ")[1].split(",")[0])
        ends, begins = [3, 4, 6, 10], [0, 3, 4, 6]
        for fold, part in ((test, split.test), ((test + 1) % 3, split.validation)):
            users = [u for u in range(4) if fold_U[u] == fold and u != 1]
            assert part.user.tolist() == users, "user 1 has no input"
            assert part.target.tolist() == part.stop.tolist() == [ends[u] - 1 for u in users]
            assert part.start.tolist() == [begins[u] for u in users]
        left = [u for u in range(4) if fold_U[u] == (test + 2) % 3]
        assert split.train.positions.tolist() == [p for u in left for p in range(begins[u], ends[u])]

    def attempt(self, histories, fold: int):
        try:
            return UserKFold(k=3, fold=fold)(histories)
        except UserError:
            return None

    def test_every_user_is_tested_and_validated_in_one_fold(self, simulated) -> None:
        folds = self.folds(simulated)
        for part in ("test", "validation"):
            asked = [user for split in folds for user in getattr(split, part).user.tolist()]
            assert sorted(asked) == list(range(20))
            assert {len(getattr(split, part)) for split in folds} == {4}, "folds of equal size"
        assert all(len(split.train) == 12 for split in folds)

    def test_another_seed_makes_other_folds(self, simulated) -> None:
        groups = [[split.test.user.tolist() for split in self.folds(simulated, seed=seed)] for seed in (0, 1)]
        assert groups[0] != groups[1]

    def test_mistakes(self, make_histories) -> None:
        with pytest.raises(UserError, match=r"split\.k is 2"):
            UserKFold(k=2)
        with pytest.raises(UserError, match=r"split\.fold is 5; it is one of 0 to 4"):
            UserKFold(fold=5)
        with pytest.raises(UserError, match=r"split\.seed is -1"):
            UserKFold(seed=-1)
        with pytest.raises(UserError, match="nothing is left for the"):
            UserKFold()(make_histories([1, 2], [3, 4]))


class TestUserCold:
    def test_cold_users_are_asked_as_the_others_and_never_trained_on(self, simulated) -> None:
        split, whole = UserCold(share=0.25)(simulated), LeaveOneOut()(simulated)
        cold = set(np.flatnonzero(drawn(simulated.user_ids, 0.25, 0)).tolist())
        assert len(cold) == 5
        assert split.test.target.tolist() == whole.test.target.tolist()
        assert split.test.cold is not None and split.validation.cold is not None
        assert [u in cold for u in split.test.user.tolist()] == split.test.cold.tolist()
        assert split.validation.cold.tolist() == split.test.cold.tolist()
        assert set(split.train.user.tolist()) == set(range(20)) - cold
        assert set(split.dropped.user.tolist()) == cold
        assert split.name == "user-cold 0.25, seed 0"

    @pytest.mark.parametrize("share", [0, 1, -0.5])
    def test_mistakes(self, share: float, make_histories) -> None:
        with pytest.raises(UserError, match=r"split\.share is"):
            UserCold(share=share)
        with pytest.raises(UserError, match="nobody is left to train on"):
            UserCold()(make_histories([1, 2, 3, 4]))


class TestItemCold:
    def test_by_hand(self, make_histories) -> None:
        histories = make_histories([1, 2, 3, 1, 4, 2], [2, 2, 2, 1], [1, 2], n_items=4)
        cold = {int(i) + 1 for i in np.flatnonzero(drawn(histories.item_ids, 0.5, 0))}
        assert len(cold) == 2
        split = ItemCold(share=0.5)(histories)
        spans = [range(4), range(6, 8), range(10, 12)]  # leave-one-out's
        item = histories.items.tolist()
        assert split.train.positions.tolist() == [p for span in spans for p in span if item[p] not in cold]
        assert split.dropped.positions.tolist() == [p for span in spans for p in span if item[p] in cold]
        assert split.test.cold is not None
        assert split.test.cold.tolist() == [item[5] in cold, item[9] in cold]
        assert split.test.start.tolist() == [0, 6] and split.test.stop.tolist() == [5, 9], "inputs are whole"

    def test_no_training_batch_has_a_cold_item_and_every_warm_one_is_there(self, simulated) -> None:
        split = ItemCold(share=0.3)(simulated)
        cold_I = np.concatenate([[False], drawn(simulated.item_ids, 0.3, 0)])
        data = HistoryData(simulated, split, NextItem(99), max_length=100, batch_size=6, seed=1)
        met: dict[int, list[int]] = {}
        for supervised in data.train_dataloader():
            for row in range(len(supervised.batch.users_B)):
                last = supervised.target_N[supervised.at.row_N == row][-1:].tolist()
                length = int(supervised.batch.length_B[row])
                met[int(supervised.batch.users_B[row])] = supervised.batch.items_BT[row, :length].tolist() + last
        whole = LeaveOneOut()(simulated).train
        for user, a, b in zip(whole.user.tolist(), whole.start, whole.stop, strict=True):
            warm = [int(i) for i in simulated.items[a:b] if not cold_I[i]]
            assert met.get(user, warm) == warm
            assert (user in met) == (len(warm) > 1)

    def test_mistakes(self, make_histories) -> None:
        with pytest.raises(UserError, match="nothing is left to train on"):
            ItemCold()(make_histories([1, 1, 1]))


class TestCutSpans:
    @pytest.mark.parametrize("longest", [1, 3, 50])
    def test_by_a_loop(self, simulated, longest: int) -> None:
        random = np.random.default_rng(0)
        kept_N = random.random(len(simulated.items)) < 0.6
        base = Spans(np.arange(20), simulated.offsets[:-1], simulated.offsets[1:])
        for spans in (base, replace(base, kept=kept_N)):
            spans = spans.without_empty()
            chosen = random.permutation(len(spans))[:7]
            batch = cut_spans(simulated, spans, chosen, longest)
            wanted = []
            for s in chosen.tolist():
                run = range(spans.start[s], spans.stop[s])
                wanted.append([p for p in run if spans.kept is None or spans.kept[p]][-longest:])
            wide = max(map(len, wanted))
            assert batch.users_B.tolist() == spans.user[chosen].tolist()
            assert batch.length_B.tolist() == [len(row) for row in wanted]
            for row, places in enumerate(wanted):
                pad = wide - len(places)
                times = simulated.times[places].tolist()
                assert batch.items_BT[row].tolist() == simulated.items[places].tolist() + [0] * pad
                assert batch.times_BT[row].tolist() == times + times[-1:] * pad
                assert batch.now_BT[row].tolist() == (times + times[-1:] * (pad + 1))[1:]
