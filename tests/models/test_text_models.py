"""Models that read a history as text: bert_lstm, recformer_style, text_history_alpha.

The library reads each text alone; heads, fusion and scores are numpy. The language model is a tiny one, written here.

Shape legend: T tokens, E numbers of a token's state, D width, N asked positions, I items.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from published import ITEMS, N_ITEMS, Published, published
from recomputed import FOLLOWED, NEXT, linear, loss_of, sigmoid
from transformers import AutoModel, AutoTokenizer

from research.data.batch import Positions
from tests.items.conftest import TITLES, write_bert

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = [*TITLES, "river", "memory", "space ship"]
Read = Callable[[str], np.ndarray]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bert(tmp_path_factory.mktemp("models") / "tiny", seed=0, longest=60)


@pytest.fixture(scope="module")
def read(tiny: Path) -> Read:
    """``(T, E)`` states of one text."""
    model, tokenizer = AutoModel.from_pretrained(tiny).eval(), AutoTokenizer.from_pretrained(tiny)

    def states(text: str) -> np.ndarray:
        with torch.no_grad():
            return model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].double().numpy()

    return states


@pytest.fixture
def named(make_histories, make_batch, tiny: Path, tmp_path: Path) -> Callable[..., Published]:
    def titled(*args, **kwargs):
        return replace(make_histories(*args, **kwargs), titles=np.array(NAMES))

    def make(name: str, *words: str, views: tuple[str, ...] = ("long",)) -> Published:
        small = [f"paths.cache={tmp_path}", f"items.model={tiny}", "items.max_tokens=24"]
        for view in views:
            small += [f"{view}.model={tiny}", f"{view}.max_tokens=60"]
        return published(name, titled, make_batch, *small, *words)

    return make


def text(items: list[int], prompt: str = "") -> str:
    return prompt + "".join(f" {NAMES[item - 1]};" for item in items)


def lstm(weights: dict[str, np.ndarray], name: str, x_TE: np.ndarray) -> np.ndarray:
    """The last state."""
    into, over = weights[f"{name}.weight_ih_l0"], weights[f"{name}.weight_hh_l0"]
    bias = weights[f"{name}.bias_ih_l0"] + weights[f"{name}.bias_hh_l0"]
    state = memory = np.zeros(over.shape[1])
    for x_E in x_TE:
        i, f, g, o = np.split(into @ x_E + over @ state + bias, 4)
        memory = sigmoid(f) * memory + sigmoid(i) * np.tanh(g)
        state = sigmoid(o) * np.tanh(memory)
    return state


class TestBertLSTM:
    def test_score(self, named, read: Read) -> None:
        model = named("bert_lstm", "long.items=3")
        want = [
            model.items_ID @ lstm(model.weights, "long.lstm", read(text(row[max(0, t - 2) : t + 1])))
            for row in ITEMS
            for t in range(len(row))
        ]
        np.testing.assert_allclose(model.scores(), np.stack(want), rtol=1e-4, atol=1e-4)

    def test_loss(self, named) -> None:
        """A yes for the next item, a no for the drawn one, half each."""
        model = named("bert_lstm")
        drawn = [1 + (7 * n) % N_ITEMS for n in range(len(NEXT))]
        drawn = [item if item != own else 1 + own % N_ITEMS for item, own in zip(drawn, NEXT, strict=True)]
        score_NI = model.scores()[FOLLOWED]
        yes = [score_NI[n, own - 1] for n, own in enumerate(NEXT)]
        no = [score_NI[n, other - 1] for n, other in enumerate(drawn)]
        want = -np.log(sigmoid(np.array(yes))).sum() - np.log(1 - sigmoid(np.array(no))).sum()
        assert loss_of(model, [[item] for item in drawn]) == pytest.approx(want / 2, rel=1e-6)

    def test_an_item_is_its_title(self, named, read: Read) -> None:
        """Mean states of the titles through one matrix; those of items that are trained on have a mean square of 1."""
        model = named("bert_lstm")
        x_IE = np.stack([read(name).mean(0) for name in NAMES])
        trained = [item for item in range(1, N_ITEMS + 1) if item != 2]  # which is held out from the one who met it
        x_IE /= np.sqrt((x_IE[np.array(trained) - 1] ** 2).sum(1).mean())
        np.testing.assert_allclose(model.items_ID, x_IE @ model.weights["items.adaptor.weight"].T, rtol=1e-3, atol=1e-4)


def test_recformer_style_scores(named, read: Read) -> None:
    """The newest title first; the first token; cosine."""
    model, want = named("recformer_style"), []
    items_ID = model.items_ID / np.linalg.norm(model.items_ID, axis=1, keepdims=True)
    for row in ITEMS:
        for t in range(len(row)):
            state = linear(model.weights, "long.outward", read(text(row[: t + 1][::-1]))[0])
            want.append(items_ID @ state / np.linalg.norm(state) / 0.05)
    np.testing.assert_allclose(model.scores(), np.stack(want), rtol=1e-3, atol=1e-3)


class TestTextHistoryAlpha:
    @pytest.mark.parametrize("words", [(), ("fusion.weight=fixed", "fusion.long_share=0.25")])
    def test_score(self, named, read: Read, words: tuple[str, ...]) -> None:
        said = ["long.prompt=love of the:", "short.prompt=space:", "window.k=3", "short.items=2"]
        model, want = named("text_history_alpha", *said, *words, views=("long", "short")), []
        a = 0.25 if words else float(sigmoid(model.weights["fusion.logit"])[0])
        assert abs(a - 0.5) > 0.01
        for row in ITEMS:
            for t in range(len(row)):
                long = read(text(row[: t + 1], "love of the:")).mean(0)
                short = read(text(row[max(0, t - 1) : t + 1], "space:")).mean(0)
                state = a * linear(model.weights, "long.outward", long)
                state += (1 - a) * linear(model.weights, "short.outward", short)
                want.append(model.items_ID @ state)
        np.testing.assert_allclose(model.scores(), np.stack(want), rtol=1e-4, atol=1e-4)

    def test_one_language_model_two_prompts(self, named) -> None:
        model = named("text_history_alpha", views=("long", "short")).parts.model
        assert model.long.shared is model.short.shared
        assert model.long.prompts.before != model.short.prompts.before
        assert not any("language" in name for name, _ in model.named_parameters())

    def test_all_of_it_shared_behind_one_prompt(self, named) -> None:
        words = ["fusion=weighted_twin", "short.train=lora", "short.rank=2", "short.items=8"]
        model = named("text_history_alpha", *words, views=("short",))
        assert model.parts.model.long is None
        assert any("lora_" in name for name in model.weights)
        with torch.no_grad():
            views = model.parts.model.views(model.batch, Positions.where(model.batch.items_BT > 0))
            same_N = torch.isclose(views.twin_ND, views.short_ND, rtol=0, atol=1e-6).all(1)
        assert same_N.tolist() == [t < 5 for _, t in model.positions], "where the window is the history"
