"""A history as text: tokens against the tokenizer on the whole text, states against the library on one text at a time.

The language model is a tiny BERT with random weights, written here.

Shape legend: B rows, T positions or tokens, N asked positions, E numbers of a token's state, D width.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from omegaconf import DictConfig
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from research.checks import encoders as checks
from research.config import compose
from research.data.batch import Positions
from research.data.load import load
from research.encoders.base import Encoder
from research.encoders.prompt import Prompts
from research.encoders.rows import Rows
from research.encoders.text_history import TextHistory
from research.errors import UserError
from research.items.content import Content
from research.items.language_model import Words
from research.shuffle import Shuffle, ShuffledEncoder
from research.sizes import Sizes
from research.training.assemble import assemble
from research.training.run import run
from research.windows.last_k import LastK
from tests.items.conftest import TITLES, write_bert

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = [*TITLES, "", "of the river"]
D, SIZES = 4, Sizes(4, 7, n_items=8, n_users=3)
ITEMS = [[2, 1, 8, 7, 4, 5, 3], [6], [7, 3, 3, 4]]
"""Item 7 has no title."""
HEADS = ["lstm", "mean", "cls", "last"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bert(tmp_path_factory.mktemp("models") / "tiny", seed=0)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that knows 700 words."""
    return write_bert(tmp_path_factory.mktemp("models") / "many", 1, [f"w{i}" for i in range(700)], longest=40)


def content_of(titles: list[str]) -> Content:
    return Content("by hand", np.array([f"i{i + 1}" for i in range(len(titles))]), Path("none"), np.array(titles))


def built(tiny: Path, titles: list[str] = NAMES, **settings) -> TextHistory:
    torch.manual_seed(0)
    settings = {"model": str(tiny), "max_tokens": 24, "prompt": "a toy", **settings}
    with pytest.warns(UserWarning, match="1 of 8 items have no text"):
        return TextHistory(SIZES, content_of(titles), **settings).eval()


@pytest.fixture
def rows() -> Rows:
    items_BT = torch.tensor([[*row, *[0] * (7 - len(row))] for row in ITEMS])
    return Rows(torch.zeros(3, 7, D), torch.tensor([7, 1, 4]), items_BT=items_BT)


ASKED = [(0, 0), (0, 3), (0, 6), (1, 0), (2, 0), (2, 2), (2, 3)]
AT = Positions(*torch.tensor(ASKED).T)


class TestPrompt:
    @pytest.mark.parametrize("newest", ["last", "first"])
    @pytest.mark.parametrize("prompt", ["", "the city of"])
    def test_tokens_are_those_of_the_whole_text(self, tiny: Path, newest, prompt: str) -> None:
        prompts = Prompts(Words(tiny, 24), prompt, NAMES, newest)
        titles = ["heat", "a quiet war", "of the river"]
        text = prompt + "".join(f" {title};" for title in (titles if newest == "last" else titles[::-1]))
        assert prompts.of([4, 7, 1, 0, 8, 9]) == AutoTokenizer.from_pretrained(tiny)(text)["input_ids"]

    def test_of_a_tokenizer_whose_words_begin_with_their_space(self, tmp_path: Path) -> None:
        """Byte pairs as in GPT-2, and no token around a text."""
        from tokenizers import Tokenizer
        from tokenizers.models import BPE
        from tokenizers.pre_tokenizers import ByteLevel
        from tokenizers.trainers import BpeTrainer
        from transformers import GPT2Config, PreTrainedTokenizerFast

        own = Tokenizer(BPE())
        own.pre_tokenizer = ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
        trainer = BpeTrainer(vocab_size=400, special_tokens=["<end>"], initial_alphabet=ByteLevel.alphabet())
        own.train_from_iterator([f"Now: {title}; {title};" for title in NAMES], trainer)
        PreTrainedTokenizerFast(tokenizer_object=own, eos_token="<end>").save_pretrained(tmp_path)
        GPT2Config(n_positions=64).save_pretrained(tmp_path)
        prompts = Prompts(Words(tmp_path, 64), "Now:", NAMES, "last")
        whole = AutoTokenizer.from_pretrained(tmp_path)("Now: toy story; heat; a ship and a star;")["input_ids"]
        assert prompts.of([5, 4, 6]) == whole and len(whole) < 30, "words are one token or two"
        empty = Prompts(Words(tmp_path, 64), "", NAMES, "last")
        assert empty.of([7, 0]) == [empty.padding], "a model reads one token at least"

    @pytest.mark.parametrize(
        ("room", "said"),
        [
            (16, [8, 1, 5, 4]),
            (15, [1, 5, 4]),
            (12, [1, 5, 4]),
            (11, [5, 4]),
            (8, [5, 4]),
            (7, [4]),
            (5, [4]),
            (4, []),
        ],
    )
    def test_the_oldest_titles_go_first(self, tiny: Path, room: int, said: list[int]) -> None:
        """Titles of 4, 4, 3 and 2 tokens beside [CLS] toy [SEP]; where there is room for one token, a title is cut."""
        text = "toy" + "".join(f" {NAMES[item - 1]};" for item in said) + (" heat" if not said else "")
        got = Prompts(Words(tiny, room), "toy", NAMES, "last").of([8, 1, 5, 4])
        assert got == AutoTokenizer.from_pretrained(tiny)(text)["input_ids"] and len(got) <= room

    def test_no_room(self, tiny: Path) -> None:
        with pytest.raises(UserError, match="max_tokens=5 leaves no room for a title behind prompt='a toy story'"):
            Prompts(Words(tiny, 5), "a toy story", NAMES, "last")


def one_by_one(tiny: Path, encoder: TextHistory, text: str) -> Tensor:
    """The library on one text, and the head step by step."""
    tokens = AutoTokenizer.from_pretrained(tiny)(text, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        h_TE = AutoModel.from_pretrained(tiny).eval()(input_ids=tokens).last_hidden_state[0]
    own = {name: value.float() for name, value in encoder.state_dict().items() if "language" not in name}
    if encoder.head != "lstm":
        pooled = {"mean": h_TE.mean(0), "cls": h_TE[0], "last": h_TE[-1]}[encoder.head]
        return own["outward.weight"] @ pooled + own["outward.bias"]
    state, memory = torch.zeros(D), torch.zeros(D)
    for h_E in h_TE:
        gates = own["lstm.weight_ih_l0"] @ h_E + own["lstm.bias_ih_l0"] + own["lstm.weight_hh_l0"] @ state
        i, f, g, o = (gates + own["lstm.bias_hh_l0"]).chunk(4)
        memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()
        state = o.sigmoid() * memory.tanh()
    return state


def texts(asked: list[tuple[int, int]], items: int, starts: list[int] | None = None) -> list[str]:
    found = []
    for n, (row, position) in enumerate(asked):
        seen = ITEMS[row][starts[n] if starts else 0 : position + 1][-items:]
        found.append("a toy" + "".join(f" {NAMES[item - 1]};" for item in seen if NAMES[item - 1]))
    return found


class TestStates:
    @pytest.mark.parametrize("head", HEADS)
    def test_against_one_text_at_a_time(self, tiny: Path, rows: Rows, head) -> None:
        encoder = built(tiny, items=3, head=head)
        want = [one_by_one(tiny, encoder, text) for text in texts(ASKED, 3)]
        torch.testing.assert_close(encoder(rows, AT), torch.stack(want), rtol=1e-4, atol=1e-5)
        starts = [0, 3, 5, 0, 0, 2, 2]
        want = [one_by_one(tiny, encoder, text) for text in texts(ASKED, 3, starts)]
        torch.testing.assert_close(encoder(rows, AT, torch.tensor(starts)), torch.stack(want), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(encoder.encode(rows)[AT.row_N, AT.position_N], encoder(rows, AT))
        assert encoder.reach == 3

    def test_all_that_there_is_room_for(self, tiny: Path, rows: Rows) -> None:
        encoder = built(tiny, items=None, prompt="", head="mean")
        assert encoder.reach is None
        # 18 tokens beside the two ends; the oldest title has 5 more, and there is room for 4.
        text = "".join(f" {NAMES[item - 1]};" for item in ITEMS[0][1:] if item != 7)
        got = encoder(rows, Positions(torch.tensor([0]), torch.tensor([6])))[0]
        torch.testing.assert_close(got, one_by_one(tiny, encoder, text), rtol=1e-4, atol=1e-5)

    def test_equal_texts_are_read_once(self, tiny: Path, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
        encoder = built(tiny, items=1, head="mean")
        read = []
        plain = encoder._state
        monkeypatch.setattr(encoder, "_state", lambda *batch: read.append(len(batch[0])) or plain(*batch))
        encoder(rows, Positions.where(rows.items_BT > 0))  # type: ignore[operator]
        assert sum(read) == 8, "8 items among 12 positions"

    def test_a_hidden_item_says_nothing(self, tiny: Path) -> None:
        encoder = built(tiny, items=3)
        hidden_BT = torch.tensor([[2, 9], [2, 7]])
        rows = Rows(torch.zeros(2, 2, D), torch.tensor([2, 2]), items_BT=hidden_BT)
        hidden, untitled = encoder(rows, Positions(torch.tensor([0, 1]), torch.tensor([1, 1])))
        assert torch.equal(hidden, untitled)

    def test_a_shuffled_view_mixes_titles(self, tiny: Path) -> None:
        encoder = built(tiny, items=2)
        items_BT = torch.tensor([[1, 6]] * 30)
        rows = Rows(torch.zeros(30, 2, D), torch.full((30,), 2), users_B=torch.arange(30), items_BT=items_BT)
        at = Positions(torch.arange(30), torch.ones(30, dtype=torch.int64))
        shuffled = ShuffledEncoder(encoder, Shuffle(long=True, short=True), 3).eval()(rows, at)
        turned = Rows(rows.x_BTD[:1], rows.length_B[:1], items_BT=torch.tensor([[6, 1]]))
        last = Positions(torch.tensor([0]), torch.tensor([1]))
        one, other = encoder(rows, last), encoder(turned, last)
        is_one, is_other = (((shuffled - state).abs().amax(1) < 1e-5).sum().item() for state in (one, other))
        assert is_one + is_other == 30 and min(is_one, is_other) > 5


class Numbered(Encoder):
    """Hands over vectors as numbers of items, so that the promises of encoders, which change vectors, change titles."""

    causal = True
    N = 5_000

    def __init__(self, sizes: Sizes, *, model: Path, head: str, dropout: float = 0.1, **settings) -> None:
        super().__init__()
        titles = [f"w{i % 700} w{i // 7 % 700}" for i in range(self.N)]
        given = {"model": str(model), "max_tokens": 40, "train": "full", "dropout": dropout, "head": head, **settings}
        self.read = TextHistory(sizes, content_of(titles), **given)
        self.reach = self.read.reach

    def encode(self, rows: Rows) -> Tensor:
        return self.read.encode(self._numbered(rows))

    def states(self, rows: Rows, at: Positions) -> Tensor:
        return self.read.states(self._numbered(rows), at)

    def _numbered(self, rows: Rows) -> Rows:
        items_BT = 1 + (rows.x_BTD.double().sum(-1).abs() * 1e6).long() % self.N
        return Rows(rows.x_BTD, rows.length_B, rows.times_BT, rows.users_B, items_BT=items_BT)


@pytest.mark.parametrize("promise", checks.PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_the_promises_over_titles(many: Path, promise: Callable) -> None:
    promise(partial(Numbered, model=many, head="lstm", items=4))


@pytest.mark.parametrize("promise", checks.PROMISES_OF_WINDOWS[:2], ids=lambda promise: promise.__name__)
def test_it_keeps_the_promises_of_windows_over_titles(many: Path, promise: Callable) -> None:
    """But for gradients: no vector is read."""
    promise(partial(Numbered, model=many, head="lstm", items=4), LastK(k=3))


class TestLanguageModel:
    def test_a_frozen_one_is_held_once_and_belongs_to_nobody(self, tiny: Path, rows: Rows) -> None:
        one, other = built(tiny, prompt="a toy"), built(tiny, prompt="heat").train()
        assert one.shared is other.shared is copy.deepcopy(one).shared
        assert {name.partition(".")[0] for name in one.state_dict()} == {"lstm"}
        assert not other.shared.language.training  # type: ignore[union-attr]
        other(rows, AT).sum().backward()
        assert all(p.grad is None for p in other.shared.language.parameters())  # type: ignore[union-attr]
        assert all(p.grad is not None for p in other.parameters())

    def test_other_weights_in_the_same_place_are_another_one(self, tmp_path: Path) -> None:
        one = built(write_bert(tmp_path / "model", seed=0))
        assert one.shared is not built(write_bert(tmp_path / "model", seed=1)).shared

    @pytest.mark.parametrize("train", ["full", "lora"])
    def test_one_that_learns_begins_where_the_frozen_one_stands(self, tiny: Path, rows: Rows, train) -> None:
        frozen, learns = built(tiny, head="mean"), built(tiny, head="mean", train=train, rank=2)
        assert learns.shared is None
        learns.outward.load_state_dict(frozen.outward.state_dict())  # type: ignore[union-attr]
        torch.testing.assert_close(learns(rows, AT), frozen(rows, AT), rtol=1e-4, atol=1e-5)
        learns(rows, AT).square().sum().backward()
        taught = {name for name, p in learns.named_parameters() if p.grad is not None}
        queries = {name for name in taught if "query" in name}
        assert len(queries) == 4, "weight and bias, or two factors, in two layers"
        assert all(("lora_" in name) == (train == "lora") for name in taught if "language" in name)
        assert {"outward.weight", "outward.bias"} <= taught

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"items": 0}, "items=0: a text has at least 1 title"),
            ({"max_tokens": 25}, "max_tokens=25: at least 3, and .* reads at most 24"),
            ({"train": "lora", "rank": 0}, "^rank=0: at least 1"),
            ({"fields": ["genre"]}, "from 'genre', which 'by hand' does not have"),
            ({"model": "./nowhere"}, "There is no directory"),
        ],
    )
    def test_a_mistake(self, tiny: Path, settings: dict, words: str) -> None:
        with pytest.raises(UserError, match=words):
            TextHistory(SIZES, content_of(TITLES), **{"model": str(tiny), "max_tokens": 24, **settings})

    def test_without_content_it_is_built_from_sizes(self) -> None:
        encoder = TextHistory(Sizes(8), model="nowhere")
        assert encoder.reach == 0
        assert sum(p.numel() for p in encoder.parameters()) == 4 * 8 * (384 + 8 + 2)


SIMULATED = ["data=simulated", "data.n_users=24", "data.n_items=20", "data.mean_length=8", "width=8", "max_length=8"]
SIMULATED += ["trainer.max_epochs=3", "trainer.threads=1", "logger=none", "batch_size=8", "optimizer.lr=0.02"]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> DictConfig:
    """A language model that knows the titles, beside another encoder."""
    words = ["drama", "comedy", "war", "part", *map(str, range(1, 21))]
    model = write_bert(tmp_path_factory.mktemp("models") / "model", 0, words)
    place = tmp_path_factory.mktemp("place")
    own = [f"short.model={model}", "short.max_tokens=24", "short.items=3", "window.k=3"]
    own += [f"paths.runs={place}", f"paths.cache={place}"]
    return compose([*SIMULATED, "encoder@long=gru", "encoder@short=text_history", *own])


def test_from_words_to_a_record(config: DictConfig) -> None:
    """The weights of a run, without those of the frozen language model, make its model again."""
    record, directory = run(config)
    assert record["status"] == "finished" and 0 <= record["test"]["ndcg@10"] <= 1
    loss = [row["train_loss"] for row in pq.read_table(directory / "curves.parquet").to_pylist()]
    assert loss[-1] < loss[0]
    kept = load_file(directory / "weights.safetensors")
    own = {name.removeprefix("short.lstm.") for name in kept if name.startswith("short.")}
    assert own == set(nn.LSTM(1, 1).state_dict())
    histories, split = load(config)
    assemble(config, histories, split.train).model.load_state_dict(kept)


def test_a_later_item_never_changes_an_earlier_score(config: DictConfig, make_batch) -> None:
    histories, split = load(config)
    model = assemble(config, histories, split.train).model.eval()
    at = Positions(torch.zeros(8, dtype=torch.int64), torch.arange(8))

    def states(row: list[int]) -> Tensor:
        with torch.no_grad():
            return model.views(make_batch([row]), at).short_ND

    row = [1, 2, 3, 4, 5, 6, 7, 8]
    before_ND = states(row)
    for t in range(8):
        after_ND = states([*row[:t], 19, *row[t + 1 :]])
        moved_N = (after_ND - before_ND).abs().amax(1) > 1e-5
        assert moved_N.tolist() == [t <= position < t + 3 for position in range(8)]


def test_where_parameters_are_only_counted_nothing_is_read(config: DictConfig) -> None:
    histories, split = load(config)
    model = assemble(config, histories, split.train, read=False).model
    assert model.short.prompts is None  # type: ignore[union-attr]
