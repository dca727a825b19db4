"""The whole model: every combination that makes sense trains and ranks, every other one is refused with the mend.

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from omegaconf import DictConfig, OmegaConf, open_dict

from research.config import compose, options
from research.data.batch import Positions
from research.data.histories import Histories
from research.data.split import LeaveOneOut
from research.encoders.rows import Rows
from research.errors import UserError
from research.evaluation.ranks import count_better
from research.evaluation.scores import scores_of
from research.training.assemble import Parts, assemble, check_compatible
from research.training.data import HistoryData

pytestmark = pytest.mark.usefixtures("one_thread")

ENCODERS, FUSIONS, WINDOWS, OBJECTIVES = (options(group) for group in ("encoder", "fusion", "window", "objective"))
BIDIRECTIONAL = {"bert4rec"}
READS = {"long_only": {"long"}, "short_only": {"short"}}
"""What the names say; every other fusion reads both."""


@cache
def base() -> DictConfig:
    return compose(["data=simulated", "width=8", "max_length=12", "batch_size=8", "loss.precision=fp32"])


@cache
def option(key: str, name: str) -> DictConfig:
    """One option of one group; composing each once is faster than composing every combination."""
    return compose([f"{key}={name}", "dropout=0"])[key.rpartition("@")[2]]


def combined(long: str, short: str, fusion: str, window: str, objective: str) -> DictConfig:
    config = base().copy()
    OmegaConf.set_readonly(config, False)
    with open_dict(config):
        config.long, config.short = option("encoder@long", long), option("encoder@short", short)
        config.fusion, config.window = option("fusion", fusion), option("window", window)
        config.objective = option("objective", objective)
    return config


def read_views(long: str, short: str, fusion: str) -> dict[str, str]:
    return {
        view: name for view, name in (("long", long), ("short", short)) if view in READS.get(fusion, {"long", "short"})
    }


def allowed(long: str, short: str, fusion: str, window: str, objective: str) -> bool:
    return objective != "next_item" or not BIDIRECTIONAL & set(read_views(long, short, fusion).values())


COMBINATIONS = list(product(ENCODERS, ENCODERS, FUSIONS, WINDOWS, OBJECTIVES))
ALLOWED = [pytest.param(*c, id="-".join(c)) for c in COMBINATIONS if allowed(*c)]
REFUSED = [pytest.param(*c, id="-".join(c)) for c in COMBINATIONS if not allowed(*c)]


@pytest.fixture(scope="module")
def data(simulated: Histories):
    """One training batch and one block of test queries for each objective."""
    split = LeaveOneOut()(simulated)
    made = {}
    for name in OBJECTIVES:
        parts = assemble(combined("gru", "gru", "sum", "last_k", name), simulated, split.train)
        lit = HistoryData(simulated, split, parts.objective, max_length=12, batch_size=20, seed=1)
        made[name] = (next(iter(lit.train_dataloader())), lit.test_dataloader().dataset[np.arange(20)])
    return made


def trained_one_step(parts: Parts, supervised) -> torch.Tensor:
    fused = parts.model(supervised.batch, supervised.at)
    loss = parts.loss(fused, supervised.target_N - 1, parts.model.items)
    loss.backward()
    torch.optim.SGD(parts.model.parameters(), lr=1e-3).step()
    return loss.detach()


class TestEveryCombination:
    @pytest.mark.parametrize(("long", "short", "fusion", "window", "objective"), ALLOWED)
    def test_trains_a_step_and_ranks(
        self, simulated: Histories, data, long: str, short: str, fusion: str, window: str, objective: str
    ) -> None:
        config = combined(long, short, fusion, window, objective)
        check_compatible(config, simulated)
        parts = assemble(config, simulated, LeaveOneOut()(simulated).train)
        supervised, block = data[objective]
        loss = trained_one_step(parts, supervised)
        assert torch.isfinite(loss)
        # At the start every item is about as likely as any other.
        assert float(loss) / len(supervised.at) == pytest.approx(np.log(simulated.n_items), abs=1.0)
        views = read_views(long, short, fusion)
        assert (parts.model.long is not None, parts.model.short is not None) == ("long" in views, "short" in views)
        for name, parameter in parts.model.named_parameters():
            assert parameter.grad is not None, f"{name} takes no part"
            assert torch.isfinite(parameter.grad).all() and parameter.grad.any(), name

        parts.model.eval()
        with torch.no_grad():
            fused = parts.model(block.batch, block.at)
        scores = scores_of(fused, parts.model.items.candidates())
        better, ties, candidates = count_better(scores, block.target_B, block.seen_row_S, block.seen_item_S)
        assert len(better) == 20
        assert ((better >= 0) & (ties >= 0) & (better + ties < candidates)).all()

    @pytest.mark.parametrize(("long", "short", "fusion", "window", "objective"), REFUSED)
    def test_the_others_are_refused_with_the_mend(
        self, simulated: Histories, long: str, short: str, fusion: str, window: str, objective: str
    ) -> None:
        config = combined(long, short, fusion, window, objective)
        for refuse in (
            lambda: check_compatible(config),
            lambda: assemble(config, simulated, LeaveOneOut()(simulated).train),
        ):
            with pytest.raises(UserError, match=r"encoder@(long|short)=bert4rec sees both sides") as caught:
                refuse()
            assert "objective=masked_item" in str(caught.value) and "=transformer" in str(caught.value)

    def test_the_matrix_is_the_whole_one(self) -> None:
        assert {"lstm", "gru", "transformer", "bert4rec"} <= set(ENCODERS)
        assert {"weighted", "gated", "attention", "long_only", "short_only", "sum", "concat"} <= set(FUSIONS)
        assert {"last_k", "session", "days"} <= set(WINDOWS)
        assert {"next_item", "masked_item"} <= set(OBJECTIVES)


class TestRefused:
    @pytest.mark.parametrize("window", ["session", "days"])
    def test_a_window_in_time_without_times(self, make_histories, window: str) -> None:
        histories = make_histories([1, 2, 3], has_times=False)
        config = combined("gru", "gru", "gated", window, "next_item")
        check_compatible(config)
        with pytest.raises(UserError, match=rf"window={window} needs times, but 'by hand'.*window=last_k"):
            check_compatible(config, histories)
        check_compatible(combined("gru", "gru", "long_only", window, "next_item"), histories)  # it reads no window

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("width", 0),
            ("width", 1.5),
            ("width", True),
            ("max_length", 1),
            ("batch_size", 0),
            ("seed", -1),
            ("seed", "one"),
        ],
    )
    def test_values_of_the_root(self, key: str, value: object) -> None:
        config = combined("gru", "gru", "gated", "last_k", "next_item")
        config[key] = value
        with pytest.raises(UserError, match=rf"{key}={value}: a whole number of at least"):
            check_compatible(config)


class TestModel:
    def parts(self, histories: Histories, *overrides: str) -> Parts:
        parts = assemble(
            compose(["data=simulated", "width=8", "max_length=12", *overrides]),
            histories,
            LeaveOneOut()(histories).train,
        )
        parts.model.eval()
        return parts

    def test_it_is_what_its_parts_are(self, simulated: Histories, data) -> None:
        model = self.parts(simulated, "window.k=3").model
        supervised, _ = data["next_item"]
        batch, at = supervised.batch, supervised.at
        x_BTD = model.items.table.weight[batch.items_BT]  # type: ignore[union-attr, index]
        long_ND = model.long.encode(Rows(x_BTD, batch.length_B))[at.row_N, at.position_N]  # type: ignore[union-attr]
        short_ND = torch.empty_like(long_ND)
        for n, (row, position) in enumerate(zip(at.row_N.tolist(), at.position_N.tolist(), strict=True)):
            window_1LD = x_BTD[row : row + 1, max(0, position - 2) : position + 1]
            short_ND[n] = model.short.encode(Rows(window_1LD, torch.tensor([window_1LD.shape[1]])))[0, -1]  # type: ignore[union-attr]
        got = model(batch, at)
        expected = model.fusion.fuse(long_ND, short_ND)  # type: ignore[operator]
        torch.testing.assert_close(got.interest_ND, expected.interest_ND, rtol=0, atol=1e-5)
        torch.testing.assert_close(got.weight_N2, expected.weight_N2, rtol=0, atol=1e-5)

    @pytest.mark.parametrize("encoder", [e for e in ENCODERS if e not in BIDIRECTIONAL])
    def test_a_later_item_never_changes_an_earlier_interest(
        self, simulated: Histories, make_batch, encoder: str
    ) -> None:
        model = self.parts(simulated, f"encoder@long={encoder}", f"encoder@short={encoder}", "window.k=3").model
        rows = [[1, 2, 3, 4, 5, 6, 7, 8]]
        at = Positions(torch.zeros(8, dtype=torch.int64), torch.arange(8))
        before_ND = model(make_batch(rows), at).interest_ND
        for t in range(1, 8):
            changed = [[*rows[0][:t], 30, *rows[0][t + 1 :]]]
            after_ND = model(make_batch(changed), at).interest_ND
            torch.testing.assert_close(after_ND[:t], before_ND[:t], rtol=0, atol=1e-6)
            assert not torch.allclose(after_ND[t], before_ND[t], rtol=0, atol=1e-6)

    @pytest.mark.parametrize("objective", OBJECTIVES)
    def test_a_user_has_the_same_ranks_alone_and_in_a_block(self, simulated: Histories, objective: str) -> None:
        overrides = [f"objective={objective}"] + ["encoder@long=bert4rec"] * (objective == "masked_item")
        parts = self.parts(simulated, *overrides, "window=session")
        split = LeaveOneOut()(simulated)
        lit = HistoryData(simulated, split, parts.objective, max_length=12, batch_size=20, seed=1)
        blocks = lit.test_dataloader().dataset

        def interest(query_B: np.ndarray) -> torch.Tensor:
            block = blocks[query_B]  # type: ignore[index]
            return parts.model(block.batch, block.at).interest_ND

        together_ND = interest(np.arange(20))
        for q in range(20):
            torch.testing.assert_close(interest(np.array([q]))[0], together_ND[q], rtol=0, atol=1e-5)

    def test_arms_that_share_a_part_start_it_alike(self, simulated: Histories) -> None:
        one = self.parts(simulated, "fusion=gated").model.state_dict()
        other = self.parts(simulated, "fusion=concat", "encoder@short=lstm").model.state_dict()
        shared = [name for name in one if name.startswith(("items.", "long."))]
        assert len(shared) > 10
        assert all(torch.equal(one[name], other[name]) for name in shared)
        another_seed = self.parts(simulated, "seed=2").model.state_dict()
        assert not torch.equal(one["items.table.weight"], another_seed["items.table.weight"])
        assert not torch.equal(one["short.cell.weight_ih_l0"], another_seed["short.cell.weight_ih_l0"])

    def test_the_states_of_a_branch_that_is_not_read_are_zero(self, simulated: Histories, data) -> None:
        supervised, _ = data["next_item"]
        model = self.parts(simulated, "fusion=long_only").model
        views = model.views(supervised.batch, supervised.at)
        long_ND, short_ND = views.long_ND, views.short_ND
        assert short_ND.shape == long_ND.shape == (len(supervised.at), 8)
        assert long_ND.any() and not short_ND.any()
        assert not any(name.startswith("short") for name in model.state_dict())
