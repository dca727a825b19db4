"""The whole model: what can be combined trains and ranks, what cannot is refused with the mend.

All combinations would be thousands. Each encoder stands in each view, each fusion over a few pairs of encoders, each
window under each objective: a part that works with some neighbours works with all that give and take the same.

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
import torch
from omegaconf import DictConfig, OmegaConf, open_dict

from research.config import compose, options
from research.data.batch import Positions
from research.data.histories import Histories
from research.data.split import LeaveOneOut
from research.encoders.base import Encoder
from research.encoders.rows import Rows
from research.errors import UserError
from research.evaluation.dot_ranks import Catalogue, count_better_fused
from research.fusion.base import Fusion
from research.schema import target_class
from research.training.assemble import Parts, assemble
from research.training.compatible import check_compatible
from research.training.data import HistoryData

pytestmark = pytest.mark.usefixtures("one_thread")

FUSIONS, WINDOWS, OBJECTIVES = (options(group) for group in ("fusion", "window", "objective"))
PAIRS = [("transformer", "lstm"), ("user", "caser"), ("multi_interest", "multi_interest")]
"""Encoders over which each fusion stands: the usual, two that see less than a history, and several interests."""
ONE_STEP = {"short.cell.weight_hh_l0_reverse"}
"""Idle by nature: read from the end of a window that ends where it is asked, there is one step, from nothing."""
ONE_VIEW = {("caser", "weighted_twin"): "fusion.weighted.logit"}
"""Idle by nature: five items of a history are those of the window, so two states of one encoder are one."""


READERS = {"text_history"}
"""Encoders of titles load a language model, and stand among other parts in a test of their own."""
ENCODERS = [name for name in options("encoder") if name not in READERS]


class Combination(NamedTuple):
    long: str
    short: str
    fusion: str
    window: str = "last_k"
    objective: str = "next_item"

    def __str__(self) -> str:
        return "-".join(self)


@cache
def base() -> DictConfig:
    return compose(["data=simulated", "width=8", "max_length=12", "batch_size=8", "loss.precision=fp32"])


@cache
def option(key: str, name: str) -> DictConfig:
    """One option of one group; composing each once is faster than composing every combination."""
    return compose([f"{key}={name}", "dropout=0"])[key.rpartition("@")[2]]


@cache
def encoder_of(name: str) -> type[Encoder]:
    return target_class(option("encoder@long", name)._target_, Encoder)


@cache
def fusion_of(name: str) -> type[Fusion]:
    return target_class(option("fusion", name)._target_, Fusion)


def interests_of(name: str) -> int:
    return option("encoder@long", name).get("interests", 1)


def configured(c: Combination) -> DictConfig:
    config = base().copy()
    OmegaConf.set_readonly(config, False)
    with open_dict(config):
        config.long, config.short = option("encoder@long", c.long), option("encoder@short", c.short)
        config.fusion, config.window = option("fusion", c.fusion), option("window", c.window)
        config.objective = option("objective", c.objective)
    return config


def read_views(c: Combination) -> dict[str, str]:
    return {view: name for view, name in (("long", c.long), ("short", c.short)) if view in fusion_of(c.fusion).branches}


def refusal(c: Combination) -> str | None:
    """What the message says of a combination that makes no sense."""
    views = read_views(c)
    if c.objective == "next_item" and not all(encoder_of(name).causal for name in views.values()):
        return r"encoder@(long|short)=\w+ sees both sides.*objective=masked_item.*=transformer"
    if fusion_of(c.fusion).needs_initial and not encoder_of(c.short).takes_initial:
        return r"gives the short encoder a state to begin from.*encoder@short=gru"
    if not fusion_of(c.fusion).takes_interests and any(interests_of(name) > 1 for name in views.values()):
        return r"gives 4 interests.*reads one.*fusion=max_interest"
    return None


def combinations() -> list[Combination]:
    """See the head of this file."""
    found = []
    for name in ENCODERS:
        objective = "next_item" if encoder_of(name).causal else "masked_item"
        several = interests_of(name) > 1
        for fusion in ("max_interest", "long_max_interest") if several else ("gated", "long_only"):
            found.append(Combination(name, "gru", fusion, objective=objective))
        for fusion in ("max_interest",) if several else ("gated", "short_only"):
            found.append(Combination("gru", name, fusion, objective=objective))
    found += [Combination(*pair, fusion) for fusion in FUSIONS for pair in PAIRS]
    found += [Combination("bert4rec", "transformer", fusion, objective="masked_item") for fusion in FUSIONS]
    found += [
        Combination("transformer", short, "gated", window, objective)
        for window in WINDOWS
        for short in ("gru", "transformer", "attention_pool")
        for objective in OBJECTIVES
    ]
    return list(dict.fromkeys(found))


def nonsense() -> list[Combination]:
    """Every encoder that sees both sides or gives several interests, where it cannot be; and what must begin somewhere.

    Most of what is listed makes sense and drops out.
    """
    found = [Combination(name, "gru", fusion) for name in ENCODERS for fusion in ("gated", "long_only")]
    found += [Combination("gru", name, "gated") for name in ENCODERS]
    found += [Combination("user", "caser", fusion) for fusion in FUSIONS]
    return [c for c in dict.fromkeys(found) if refusal(c)]


ALLOWED = [pytest.param(c, id=str(c)) for c in combinations() if not refusal(c)]
REFUSED = [pytest.param(c, id=str(c)) for c in nonsense()]


@pytest.fixture(scope="module")
def data(simulated: Histories):
    """One training batch and one block of test queries for each objective."""
    split = LeaveOneOut()(simulated)
    made = {}
    for name in OBJECTIVES:
        parts = assemble(configured(Combination("gru", "gru", "sum", objective=name)), simulated, split.train)
        lit = HistoryData(simulated, split, parts.objective, max_length=12, batch_size=20, seed=1)
        made[name] = (next(iter(lit.train_dataloader())), lit.test_dataloader().dataset[np.arange(20)])
    return made


def trained_one_step(parts: Parts, supervised) -> torch.Tensor:
    fused = parts.model(supervised.batch, supervised.at)
    loss = parts.loss(fused, supervised.target_N - 1, parts.model.items)
    loss.backward()
    torch.optim.SGD(parts.model.parameters(), lr=1e-3).step()
    return loss.detach()


class TestCombinations:
    @pytest.mark.parametrize("combination", ALLOWED)
    def test_trains_a_step_and_ranks(self, simulated: Histories, data, combination: Combination) -> None:
        config = configured(combination)
        check_compatible(config, simulated)
        parts = assemble(config, simulated, LeaveOneOut()(simulated).train)
        supervised, block = data[combination.objective]
        loss = trained_one_step(parts, supervised)
        assert torch.isfinite(loss)
        # At the start every item is about as likely as any other.
        assert float(loss) / len(supervised.at) == pytest.approx(np.log(simulated.n_items), abs=1.0)
        views = read_views(combination)
        assert (parts.model.long is not None, parts.model.short is not None) == ("long" in views, "short" in views)
        for name, parameter in parts.model.named_parameters():
            assert parameter.grad is not None, f"{name} takes no part"
            idle = name in ONE_STEP or name == ONE_VIEW.get((combination.short, combination.fusion))
            assert torch.isfinite(parameter.grad).all() and (parameter.grad.any() or idle), name

        parts.model.eval()
        with torch.no_grad():
            fused = parts.model(block.batch, block.at)
        catalogue = Catalogue(parts.model.items.candidates())
        better, ties, candidates = count_better_fused(
            fused, catalogue, block.target_B, block.seen_row_S, block.seen_item_S
        )
        assert len(better) == 20
        assert ((better >= 0) & (ties >= 0) & (better + ties < candidates)).all()

    @pytest.mark.parametrize("combination", REFUSED)
    def test_the_others_are_refused_with_the_mend(self, simulated: Histories, combination: Combination) -> None:
        words = refusal(combination)
        with pytest.raises(UserError, match=words):
            assemble(configured(combination), simulated, LeaveOneOut()(simulated).train)

    @pytest.mark.parametrize("view", ["long", "short"])
    @pytest.mark.parametrize("name", [name for name in ENCODERS if not encoder_of(name).causal])
    def test_looking_ahead_is_refused_before_anything_is_built(self, name: str, view: str) -> None:
        c = Combination(name, "gru", "gated") if view == "long" else Combination("gru", name, "gated")
        with pytest.raises(UserError, match=rf"encoder@{view}=\w+ sees both sides"):
            check_compatible(configured(c))

    def test_every_part_stands_somewhere_and_none_is_lost(self) -> None:
        """The tables above are computed, so they could become empty unseen."""
        allowed = [c for c in combinations() if not refusal(c)]
        for view in ("long", "short"):
            assert {read_views(c).get(view) for c in allowed} >= set(ENCODERS)
        assert any(fusion_of(c.fusion).needs_initial for c in nonsense())
        assert {c.fusion for c in allowed} == set(FUSIONS)
        assert {(c.window, c.objective) for c in allowed} == {(w, o) for w in WINDOWS for o in OBJECTIVES}
        assert {"lstm", "gru", "transformer", "bert4rec"} <= set(ENCODERS)
        assert {"weighted", "gated", "attention", "long_only", "short_only", "sum", "concat"} <= set(FUSIONS)
        assert {"bert4rec", "bilstm", "pretrained_bidirectional"} <= {c.long for c in nonsense()}
        assert len(allowed) + len(nonsense()) < 300, "choose fewer neighbours"


class TestRefused:
    @pytest.mark.parametrize("window", ["session", "days"])
    def test_a_window_in_time_without_times(self, make_histories, window: str) -> None:
        histories = make_histories([1, 2, 3], has_times=False)
        config = configured(Combination("gru", "gru", "gated", window))
        check_compatible(config)
        with pytest.raises(UserError, match=rf"window={window} needs times, but 'by hand'.*window=last_k"):
            check_compatible(config, histories)
        check_compatible(configured(Combination("gru", "gru", "long_only", window)), histories)  # it reads no window

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
        config = configured(Combination("gru", "gru", "gated"))
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

    @pytest.mark.parametrize("encoder", [name for name in ENCODERS if encoder_of(name).causal])
    def test_a_later_item_never_changes_an_earlier_score(self, simulated: Histories, make_batch, encoder: str) -> None:
        fusion = "gated" if interests_of(encoder) == 1 else "max_interest"
        arms = [f"encoder@long={encoder}", f"encoder@short={encoder}", f"fusion={fusion}", "window.k=3"]
        model = self.parts(simulated, *arms).model
        rows = [[1, 2, 3, 4, 5, 6, 7, 8]]
        at = Positions(torch.zeros(8, dtype=torch.int64), torch.arange(8))

        def scores(row: list[list[int]]) -> torch.Tensor:
            return model(make_batch(row), at).score(model.items.candidates())

        before_NI = scores(rows)
        reads_items = encoder_of(encoder).reach != 0
        for t in range(1, 8):
            after_NI = scores([[*rows[0][:t], 30, *rows[0][t + 1 :]]])
            torch.testing.assert_close(after_NI[:t], before_NI[:t], rtol=0, atol=1e-6)
            assert torch.allclose(after_NI[t], before_NI[t], rtol=0, atol=1e-6) != reads_items

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
