"""Runs with every kind of item table, from a command's words to a record and back to the same model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from research.config import compose, options
from research.data.load import load
from research.items.base import ItemTable
from research.training.assemble import assemble
from research.training.run import run

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("ignore:simulated. .* items have no")]
SAMPLED = ["loss=sampled_softmax", "loss.source=batch", "loss.negatives=8", "batch_size=8"]
TEXT = ["items.model={model}", "items.max_tokens=8"]
PART = ["items.parts.text.model={model}", "items.parts.text.max_tokens=8"]
CASES = {
    "categories": ["items=categories"],
    "text": ["items=text", *TEXT, "items.adaptor=moe", "items.reduce=whiten", "items.components=4"],
    "random": ["items=random", "items.numbers=16"],
    "text_ids": ["items=text_ids", "items.combine=gate", "items.dropout=0.2", *PART],
    "three": ["items=text_categories_ids", "items.combine=attention", *PART],
    "ids_from_text": ["items=ids_from_text", "items.start.model={model}", "items.start.max_tokens=8"],
    "lora": ["items=text_tuned", *TEXT, "items.rank=2", *SAMPLED],
    "masked": ["items=categories_ids", "items.combine=concat", "objective=masked_item", "encoder@long=bert4rec"],
}
WORDS = ["data=simulated", "data.n_users=24", "data.n_items=20", "data.mean_length=8", "width=8", "max_length=8"]
WORDS += ["trainer.max_epochs=2", "trainer.threads=1", "logger=none", "fusion=long_only", "encoder@long=transformer"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def words(case: str, model: Path, cache: Path, runs: Path) -> list[str]:
    own = [word.format(model=model) for word in CASES[case]]
    return [*WORDS, *own, f"paths.cache={cache}", f"paths.runs={runs}"]


@pytest.mark.parametrize("case", CASES)
def test_from_words_to_a_record(case: str, tiny_bert: Path, cache: Path, tmp_path: Path) -> None:
    config = compose(words(case, tiny_bert, cache, tmp_path))
    record, directory = run(config)
    assert record["status"] == "finished"
    assert 0 <= record["test"]["ndcg@10"] <= 1
    assert json.loads((directory / "record.json").read_text())["config"]["items"] == record["config"]["items"]
    histories, split = load(config)
    model = assemble(config, histories, split.train).model
    before = model.items.candidates_of(torch.arange(20)).detach().clone()
    model.load_state_dict(load_file(directory / "weights.safetensors"))
    after = model.eval().items.candidates_of(torch.arange(20))
    assert torch.isfinite(after).all() and not torch.allclose(before, after)


def test_every_option_can_be_built_from_sizes_alone() -> None:
    """`research models items` counts them, without a model, a dataset or a file."""
    from research.schema import build
    from research.sizes import Sizes

    for name in options("items"):
        config = compose([f"items={name}", "width=8"])
        items = build(config["items"], ItemTable, Sizes(8, n_items=5))  # type: ignore[type-abstract]
        assert items.candidates().shape == (5, 8)
        assert items(torch.tensor([[0, 1, 6]])).shape == (1, 3, 8)


def test_a_part_can_be_added_replaced_and_left_out() -> None:
    config = compose(["items=text_ids", "+items@items.parts.categories=categories", "items.combine=gate"])
    assert list(config["items"].parts) == ["ids", "text", "categories"]
    config = compose(["items=text_ids", "items@items.parts.text=random"])
    assert config["items"].parts.text._target_.endswith("Random")
    config = compose(["items=text_categories_ids", "items.parts.ids=null"])
    assert config["items"].parts.ids is None


def test_a_mistake_in_a_part_is_found_before_anything_is_loaded() -> None:
    from research.errors import UserError

    with pytest.raises(UserError, match=r"items\.parts\.text\.adaptor=mo is not .* Did you mean 'moe'"):
        compose(["items=text_ids", "items.parts.text.adaptor=mo"])
    with pytest.raises(UserError, match=r"no key 'items\.parts\.text\.adaptr'"):
        compose(["items=text_ids", "items.parts.text.adaptr=moe"])
    with pytest.raises(UserError, match=r"os\.system lies outside"):
        compose(["items=text_ids", "+items.parts.evil._target_=os.system"])
