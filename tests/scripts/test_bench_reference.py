"""The yardstick computes what it says: its loss against the plain one, its step against autograd, and both of them,
with the same weights, against the framework.

Shape legend: N supervised positions, D width, I items, U users.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from scripts.bench.reference import Data, Masks, Settings, Step, Trainer, linear_cross_entropy
from scripts.bench.turns import Turn

pytestmark = pytest.mark.usefixtures("one_thread")

MODELS = ["transformer", "gru", "bert4rec"]
TINY = Settings(width=8, max_length=12, batch_size=16, dropout=0.0, bf16=False, chunk=256)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Data:
    """Simulated users, by way of the file that everyone reads."""
    random = np.random.default_rng(0)
    length_U = random.integers(3, 20, 60)
    offsets = np.concatenate([[0], length_U.cumsum()])
    path = tmp_path_factory.mktemp("data") / "data.npz"
    np.savez(path, offsets=offsets, items=random.integers(1, 41, offsets[-1]).astype(np.int32), n_items=40)
    return Data.read(path)


def distance(got: torch.Tensor, expected: torch.Tensor) -> float:
    return float((got.double() - expected.double()).norm() / expected.double().norm())


class TestLoss:
    N, D, N_ITEMS = 300, 16, 90
    RANDOM = torch.Generator().manual_seed(0)
    H_ND = torch.randn(N, D, generator=RANDOM)
    W_ID = torch.randn(N_ITEMS, D, generator=RANDOM) * 0.5
    TARGET_N = torch.randint(N_ITEMS, (N,), generator=RANDOM)

    def plain(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Loss and gradients of a third of it, in float64."""
        h, w = self.H_ND.double().requires_grad_(), self.W_ID.double().requires_grad_()
        loss = F.cross_entropy(h @ w.T, self.TARGET_N, reduction="sum")
        (loss / 3).backward()
        assert h.grad is not None and w.grad is not None
        return loss.detach(), h.grad, w.grad

    @pytest.mark.parametrize("chunk", [128, 256, 1024])
    @pytest.mark.parametrize(("bf16", "tolerance"), [(False, 1e-6), (True, 8e-3)])
    def test_against_the_plain_one(self, chunk: int, bf16: bool, tolerance: float) -> None:
        loss, grad_h_ND, grad_w_DI = linear_cross_entropy(self.H_ND, self.W_ID, self.TARGET_N, 1 / 3, chunk, bf16)
        # What the caller adds: minus the share of each state in its target's row.
        grad_w_ID = grad_w_DI.t().float().index_add(0, self.TARGET_N, self.H_ND / -3)
        for got, expected in zip((loss, grad_h_ND, grad_w_ID), self.plain(), strict=True):
            assert distance(got, expected) < tolerance


class TestMasks:
    def test_rate_scale_and_chance(self) -> None:
        masks = Masks(0.2, seed=0)
        mask = masks.draw(torch.empty(1001, 99))  # not a multiple of eight
        assert mask is not None and mask.shape == (1001, 99)
        assert sorted(mask.unique().tolist()) == pytest.approx([0.0, 256 / (256 - 51)])
        assert float((mask == 0).double().mean()) == pytest.approx(51 / 256, abs=4 * 0.4 / np.sqrt(mask.numel()))
        again = masks.draw(mask)
        assert again is not None and not torch.equal(mask, again)

    def test_adding_what_is_masked_is_adding_it_dropped(self) -> None:
        x, y = torch.randn(7, 5, requires_grad=True), torch.randn(7, 5, requires_grad=True)
        mask = Masks(0.5, seed=3).draw(y)
        assert mask is not None
        got = Masks(0.5, seed=3).drop_add(x, y)
        torch.testing.assert_close(got, x + y * mask)
        got.sum().backward()
        torch.testing.assert_close(x.grad, torch.ones(7, 5))
        torch.testing.assert_close(y.grad, mask)

    def test_nothing_is_dropped_when_not_training(self) -> None:
        masks = Masks(0.5, seed=0)
        masks.training = False
        assert masks.draw(torch.empty(3)) is None


def naive_step(trainer: Trainer, step: Step) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss and table gradient by autograd alone, every score at once."""
    table = trainer.table.detach().clone().requires_grad_()
    h_ND = trainer.encoder(table[step.items_BT], step.length_B, step.asked_N)
    loss = F.cross_entropy(h_ND @ table[1:-1].T, step.target_N - 1, reduction="sum")
    (loss / trainer.per_step).backward()
    assert table.grad is not None
    return loss.detach(), table.grad


class TestStep:
    @pytest.mark.parametrize("model", MODELS)
    def test_gradients_are_those_of_autograd(self, data: Data, model: str) -> None:
        trainer = Trainer(replace(TINY, model=model), data)
        step = trainer.step(next(iter(trainer.batches())))
        expected, expected_table = naive_step(trainer, step)
        expected_rest = [p.grad.clone() for p in trainer.encoder.parameters() if p.grad is not None]
        trainer.optimizer.zero_grad(set_to_none=True)
        loss = trainer.gradients(step)
        got_rest = [p.grad for p in trainer.encoder.parameters() if p.grad is not None]
        assert float(loss) == pytest.approx(float(expected), rel=1e-5)
        assert trainer.table.grad is not None and distance(trainer.table.grad, expected_table) < 1e-5
        assert len(got_rest) == len(expected_rest) > 0
        assert all(distance(g, e) < 1e-4 for g, e in zip(got_rest, expected_rest, strict=True) if e.norm() > 1e-6)

    def test_shifted_inputs_by_hand(self) -> None:
        data = Data(np.array([0, 5, 8]), np.array([1, 2, 3, 4, 5, 6, 7, 8]), 8)
        trainer = Trainer(replace(TINY, max_length=2), data)
        # The first user trains on 1 2 3 (4 and 5 are held out); the second on 6 alone, which teaches nothing.
        assert (trainer.start_S.tolist(), trainer.stop_S.tolist()) == ([0], [3])
        step = trainer.step(np.array([0]))
        assert step.items_BT.tolist() == [[1, 2]] and step.asked_N.tolist() == [0, 1]
        assert step.target_N.tolist() == [2, 3] and step.length_B.tolist() == [2]
        assert trainer.per_step == 2

    def test_hidden_items(self, data: Data) -> None:
        trainer = Trainer(replace(TINY, model="bert4rec", last_only=0.5), data)
        length_B = torch.tensor([1, 5, 12, 12])
        seen = torch.stack([trainer.hidden(length_B, 12) for _ in range(400)])
        real = torch.arange(12) < length_B[:, None]
        assert not (seen & ~real).any(), "padding is never hidden"
        assert seen.any(2).all(), "every row hides something"
        only_last = seen[:, 3, 11] & (seen[:, 3].sum(1) == 1)
        # Half of the rows by choice, some of the others by chance: (1 - rate)^11 of them and their like.
        assert 0.4 < float(only_last.double().mean()) < 0.7

    @pytest.mark.parametrize("model", MODELS)
    def test_an_epoch_passes_every_span_once(self, data: Data, model: str) -> None:
        trainer = Trainer(replace(TINY, model=model), data)
        batches = list(trainer.batches())
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(trainer.stop_S)))
        assert len(batches) == trainer.steps and max(map(len, batches)) == TINY.batch_size

    @pytest.mark.parametrize("model", MODELS)
    def test_it_learns_a_rule(self, model: str) -> None:
        # Every item is followed by the next number: after it is known, nothing is left to chance.
        start_U = np.random.default_rng(0).integers(0, 40, 60)
        items = (start_U[:, None] + np.arange(12)) % 40 + 1
        data = Data(np.arange(61) * 12, items.flatten(), 40)
        trainer = Trainer(replace(TINY, model=model, lr=0.01), data)
        first, positions = trainer.epoch()
        assert first == pytest.approx(np.log(40), rel=0.1), "untrained, every item is as likely"
        assert positions == pytest.approx(trainer.per_step * trainer.steps, rel=0.2)
        assert [trainer.epoch() for _ in range(40)][-1][0] < first - 0.3


class TestEvaluation:
    @pytest.mark.parametrize("model", MODELS)
    def test_ranks_by_a_naive_loop(self, data: Data, model: str) -> None:
        trainer = Trainer(replace(TINY, model=model, lr=0.03), data)
        trainer.epoch()
        got = trainer.evaluate(size=7)
        table = trainer.table.detach()
        for user, better in enumerate(got):
            history = data.items[data.offsets[user] : data.offsets[user + 1]]
            past, target = history[:-1], history[-1]
            read = torch.from_numpy(past[-(12 - (model == "bert4rec")) :])
            if model == "bert4rec":
                read = torch.cat([read, torch.tensor([41])])
            at = torch.tensor([len(read) - 1])
            with torch.no_grad():
                interest = trainer.encoder(table[read][None], torch.tensor([len(read)]), at)[0]
            score = {item: float(table[item] @ interest) for item in range(1, 41)}
            rivals = [item for item in score if item not in past and item != target]
            expected = sum(score[item] > score[target] + 1e-6 for item in rivals)
            loose = sum(score[item] > score[target] - 1e-6 for item in rivals)
            # A target that was seen before cannot be recommended: its score is filtered, and all rivals beat it.
            assert expected <= better <= loose or target in past


def mapped(weights: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The framework's names to the reference's: the table, and the long encoder without its prefix."""
    encoder = {name.removeprefix("long."): value for name, value in weights.items() if name.startswith("long.")}
    return weights["items.table.weight"], encoder


def give(trainer: Trainer, weights: dict[str, torch.Tensor]) -> None:
    table, encoder = mapped(weights)
    trainer.table.data.copy_(table)
    trainer.encoder.load_state_dict(encoder)  # strict: no weight is left out on either side


class TestFramework:
    WORDS = ("data=simulated", "data.n_users=60", "data.n_items=40", "data.mean_length=12", "trainer.threads=1")
    SMALL = (*WORDS, "trainer.accelerator=cpu", "width=8", "batch_size=16", "dropout=0", "loss.precision=fp32")

    @pytest.fixture
    def words(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))
        return list(self.SMALL)

    def histories(self, words: list[str]):
        from research.config import compose
        from research.data.load import load

        return load(compose(words))

    @pytest.mark.parametrize("model", MODELS)
    def test_same_weights_same_loss_and_gradients(self, words: list[str], tmp_path: Path, model: str) -> None:
        from research.config import compose
        from research.training.assemble import assemble
        from research.training.data import HistoryData
        from scripts.bench.ours import overrides

        config = compose([*overrides(model, "simulated", 12, tmp_path, 1), *words])
        histories, split = self.histories(words)
        parts = assemble(config, histories, split.train)
        loader = HistoryData(histories, split, parts.objective, max_length=12, batch_size=16, seed=1)
        batch = next(iter(loader.train_dataloader()))
        total = parts.loss(parts.model(batch.batch, batch.at), batch.target_N - 1, parts.model.items)
        (total / loader.positions_per_step).backward()

        data = Data(np.asarray(histories.offsets), histories.items.astype(np.int64), histories.n_items)
        trainer = Trainer(replace(TINY, model=model), data)
        give(trainer, parts.model.state_dict())
        assert trainer.per_step == pytest.approx(loader.positions_per_step)
        asked_N = batch.at.row_N * batch.batch.items_BT.shape[1] + batch.at.position_N
        items_BT = batch.batch.items_BT.contiguous()
        loss = trainer.gradients(Step(items_BT, batch.batch.length_B, asked_N, batch.target_N))
        assert float(loss) == pytest.approx(float(total.detach()), rel=1e-5)
        theirs = {name: p.grad for name, p in parts.model.named_parameters() if p.grad is not None}
        table, encoder = mapped(theirs)
        assert trainer.table.grad is not None and distance(trainer.table.grad, table) < 1e-5
        ours = {name: p.grad for name, p in trainer.encoder.named_parameters() if p.grad is not None}
        assert ours.keys() == encoder.keys()
        assert all(distance(ours[name], encoder[name]) < 1e-4 for name in ours if encoder[name].norm() > 1e-6)

    @pytest.mark.parametrize("model", MODELS)
    def test_same_weights_same_ranks(self, words: list[str], tmp_path: Path, model: str) -> None:
        from research.config import compose
        from research.training.run import run
        from scripts.bench.ours import overrides

        config = compose([*overrides(model, "simulated", 12, tmp_path / "runs", 1), *words])
        _, directory = run(config)
        theirs = pq.read_table(directory / "ranks.parquet").to_pydict()
        histories, _ = self.histories(words)
        data = Data(np.asarray(histories.offsets), histories.items.astype(np.int64), histories.n_items)
        trainer = Trainer(replace(TINY, model=model), data)
        give(trainer, load_file(directory / "weights.safetensors"))
        ours = trainer.evaluate()
        seen = [
            data.items[stop - 1] in data.items[start : stop - 1]
            for start, stop in zip(data.offsets[:-1], data.offsets[1:], strict=True)
            if stop - start >= 3
        ]
        # Two float32 roundings may order a near tie differently; a target that was seen has no rank in the reference.
        apart = [abs(a - b) for a, b, no_rank in zip(ours, theirs["better"], seen, strict=True) if not no_rank]
        assert len(apart) > 20 and max(apart) <= 1 and sum(apart) <= 2

    def test_both_measure_what_a_run_reports(
        self, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from research.training.callbacks import Reporter
        from scripts.bench.ours import measure, overrides
        from scripts.bench.reference import measure as measure_reference

        taken: list[Turn] = []
        monkeypatch.setattr(Turn, "_wait", lambda self: taken.append(self))
        monkeypatch.setattr(Reporter, "pause", Reporter.pause)  # measuring changes it
        result = measure([*overrides("transformer", "simulated", 12, tmp_path / "runs", 2), *words], Turn())
        assert len(result["epoch_s"]) == 2 and all(0 < seconds < 60 for seconds in result["epoch_s"])
        assert result["eval_users_per_s"] > 0 and 0 <= result["hr@10"] <= 1
        histories, _ = self.histories(words)
        data = Data(np.asarray(histories.offsets), histories.items.astype(np.int64), histories.n_items)
        reference = measure_reference(TINY, data, epochs=2)
        # Other orders and initial weights: the same level of loss after three epochs, not the same number.
        assert reference["loss"] == pytest.approx(result["loss"], rel=0.1)
        assert reference["histories"] == int((np.diff(data.offsets) - 2 > 1).sum())
        # Whose turns are longer is ahead of the others, and who is left works alone on a machine that is free.
        (one, turns), (other, as_many) = Counter(map(id, taken)).items()
        assert one != other and turns == as_many > 3
