"""A few tiny runs on simulated data, trained once for all tests of recommendations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from research.config import compose
from research.training.run import run
from tests.items.conftest import write_bert

WORDS = ["comedy", "crime", "part", ",", "quiet", "story", *map(str, range(1, 21))]
SMALL = ["data=simulated", "data.n_users=40", "data.n_items=40", "data.mean_length=8", "width=8", "max_length=8"]
SMALL += ["batch_size=16", "trainer.max_epochs=1", "trainer.threads=1", "trainer.accelerator=cpu", "logger=none"]
MASKED = ["encoder@long=bert4rec", "objective=masked_item", "fusion=long_only"]
MODEL = ["items.parts.text.model={model}", "items.parts.text.max_tokens=8"]
ARMS = {
    "text_ids": ["items=text_ids", *MODEL, "fusion=gated", "window=session"],
    "text": [
        "items=text",
        "items.model={model}",
        "items.max_tokens=8",
        "encoder@long=bert4rec",
        "objective=masked_item",
        "fusion=long_only",
    ],
    "ids": ["fusion=fissa"],
    "users": ["encoder@long=user", "fusion=concat"],
    "moment": ["encoder@long=hstu", "fusion=long_only"],
    "popularity": ["baseline=popularity"],
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The directory of a run of each arm."""
    folder = tmp_path_factory.mktemp("recommend")
    model = write_bert(folder / "bert", 0, WORDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESEARCH_CACHE", str(folder / "cache"))
        yield {
            name: run(compose([*SMALL, *(word.format(model=model) for word in words), f"paths.runs={folder}"]))[1]
            for name, words in ARMS.items()
        }


@pytest.fixture(autouse=True)
def _same_cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recommendations read the usual cache."""
    if "trained" in request.fixturenames:
        monkeypatch.setenv("RESEARCH_CACHE", str(request.getfixturevalue("trained")["text"].parents[2] / "cache"))
