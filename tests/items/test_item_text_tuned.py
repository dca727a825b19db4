"""A language model that learns with the rest: what moves, what a step reads, and when the catalogue is read again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from research.errors import UserError
from research.fusion.base import Fused
from research.items.combined import Combined
from research.items.text_tuned import TextTuned
from research.losses.cross_entropy import CrossEntropy
from research.losses.sampled_softmax import SampledSoftmax
from research.sizes import Sizes
from tests.items.conftest import TITLES
from tests.items.test_item_text import one_by_one

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("ignore:by hand. .* items have no")]
SIZES = Sizes(4, n_items=7)


@pytest.fixture
def tuned(content, tiny_bert: Path):
    def make(**settings) -> TextTuned:
        torch.manual_seed(0)
        made = content(titles=[*TITLES, ""])
        return TextTuned(SIZES, made, model=str(tiny_bert), max_tokens=16, **settings)

    return make


def step(items: nn.Module, history: torch.Tensor, target_N: torch.Tensor) -> None:
    """One step of a sampled loss, as training does it."""
    optimizer = torch.optim.Adam(items.parameters(), lr=0.05)  # without decay: what has no gradient stays
    loss = SampledSoftmax(torch.ones(7), negatives=3, source="batch")
    loss(Fused(items(history).sum(1), None), target_N, items).backward()  # type: ignore[arg-type, operator]
    optimizer.step()


@pytest.mark.parametrize("train", ["full", "lora"])
def test_it_begins_where_the_frozen_model_stands(tuned, tiny_bert: Path, train) -> None:
    items = tuned(train=train).eval()
    raw = torch.nn.functional.normalize(torch.from_numpy(one_by_one(tiny_bert, TITLES, "mean")), dim=1)
    want = torch.cat([raw @ items.adaptor.weight.T, torch.zeros(1, 4)])
    torch.testing.assert_close(items.candidates(), want, rtol=1e-3, atol=1e-5)  # with a gradient
    with torch.no_grad():
        torch.testing.assert_close(items.candidates(), want, rtol=1e-3, atol=1e-5)  # from what is kept
    assert not items.known(torch.tensor([6])).any()


@pytest.mark.parametrize("train", ["full", "lora"])
def test_a_step_moves_what_it_should(tuned, train) -> None:
    items = tuned(train=train)
    before = {name: p.detach().clone() for name, p in items.named_parameters()}
    step(items, torch.tensor([[1, 2, 0], [3, 4, 5]]), torch.tensor([2, 5]))
    moved = {name for name, p in items.named_parameters() if not torch.equal(p, before[name])}
    layers = {name for name in before if "attention.self.query" in name}
    if train == "full":
        assert layers <= moved and any("word_embeddings" in name for name in moved)
    else:
        assert moved == {name for name in before if "lora_" in name or name == "adaptor.weight"} - {
            name for name in before if "lora_A" in name
        }, "of a low-rank change the second factor is zero at first, so the first one has no gradient yet"
        step(items, torch.tensor([[1, 2, 0], [3, 4, 5]]), torch.tensor([2, 5]))
        still = {name for name, p in items.named_parameters() if torch.equal(p, before[name])}
        assert still == {name for name in before if "language" in name and "lora_" not in name} | {"mask_D"}
        assert len(layers) == 2 * 4  # weight and bias stay; two factors learn; in two layers


def test_gradient_is_that_of_one_text_at_a_time(tuned) -> None:
    """No padding, no look-up of distinct items: each text alone through the same weights."""
    items = tuned(train="full").double().eval()
    history, target_N = torch.tensor([[1, 2, 2], [5, 3, 7]]), torch.tensor([2, 4])

    def vector(item: int) -> torch.Tensor:
        if item == 7:
            return torch.zeros(4, dtype=torch.float64)
        n = int(items.real_IT[item - 1].sum())
        token_1T = items.token_IT[item - 1 : item, :n]
        x_1E = items.language(token_1T, torch.ones(1, n, dtype=torch.bool))
        return items.adaptor(x_1E / x_1E.norm())[0]

    interest = torch.stack([sum(vector(item) for item in row) for row in history.tolist()])  # type: ignore[misc]
    own, other = torch.stack([vector(3), vector(5)]), torch.stack([vector(2), vector(6)])
    naive = ((interest @ other.T).exp().sum(1).log() - (interest * own).sum(1)).sum()
    got_interest = items(history).sum(1)
    drawn, right = items.candidates_of(torch.tensor([1, 5])), items.candidates_of(target_N)
    got = ((got_interest @ drawn.T).exp().sum(1).log() - (got_interest * right).sum(1)).sum()
    parameters = [p for name, p in items.named_parameters() if name != "mask_D"]
    pairs = zip(
        torch.autograd.grad(got, parameters, allow_unused=True),
        torch.autograd.grad(naive, parameters, allow_unused=True),
        strict=True,
    )
    for a, b in pairs:
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-9)


def test_a_step_reads_distinct_items_that_it_looks_up_and_no_others(tuned, monkeypatch) -> None:
    items = tuned(train="full")
    read = []
    plain = items._read
    monkeypatch.setattr(items, "_read", lambda row_U: read.append(row_U.tolist()) or plain(row_U))
    step(items, torch.tensor([[2, 2, 4], [4, 2, 2]]), torch.tensor([5, 5]))
    assert [sorted(set(rows)) for rows in read] == [[1, 3], [5], [5]]
    assert all(len(rows) == len(set(rows)) for rows in read)


def test_the_catalogue_is_read_again_only_when_weights_have_changed(tuned, monkeypatch) -> None:
    items = tuned(train="lora").eval()
    times = []
    plain = items._read
    monkeypatch.setattr(items, "_read", lambda row_U: times.append(1) or plain(row_U))
    with torch.no_grad():
        first = items.candidates()
        items(torch.tensor([[1, 2]]))
        items.candidates()
        assert len(times) == 1
    items.train()
    step(items, torch.tensor([[1, 2], [4, 5]]), torch.tensor([3, 1]))  # two targets: each is the negative of the other
    items.eval()
    times.clear()
    with torch.inference_mode():  # as in validation
        assert not torch.allclose(items.candidates(), first) and len(times) == 1
        items.load_state_dict(items.state_dict())  # as when the best epoch is tested
        items.candidates()
        assert len(times) == 2


def test_a_loss_over_the_whole_catalogue_is_refused(tuned) -> None:
    for items in (tuned(train="lora"), combined(tuned)):
        with pytest.raises(UserError, match=r"needs all of the catalogue\. Use loss=sampled_softmax"):
            CrossEntropy(torch.ones(7))(Fused(items(torch.tensor([[1]])).sum(1), None), torch.tensor([2]), items)


def combined(tuned) -> Combined:
    node = {"_target_": "research.items.text_tuned.TextTuned"}
    items = Combined(SIZES, parts={"ids": {"_target_": "research.items.ids.Ids"}, "text": node}, combine="gate")
    text = tuned(train="lora")
    text.without_mask()
    items.parts["text"] = text
    return items


def test_it_is_a_part_beside_ids(tuned) -> None:
    items = combined(tuned)
    before = {name: p.detach().clone() for name, p in items.named_parameters()}
    step(items, torch.tensor([[1, 2], [3, 7]]), torch.tensor([3, 5]))
    moved = {name for name, p in items.named_parameters() if not torch.equal(p, before[name])}
    assert any("lora_B" in name for name in moved) and {"parts.ids.table.weight", "combine.gate.weight"} <= moved


def test_without_peft(tuned, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"items\.train=lora needs peft: pip install 'interest-fusion\[lora\]'"):
        tuned(train="lora")


def test_a_rank_of_none(tuned) -> None:
    with pytest.raises(UserError, match=r"items\.rank=0"):
        tuned(train="lora", rank=0)
