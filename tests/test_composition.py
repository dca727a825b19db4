"""Choices composed once and values set on a copy give what Hydra composes from all words at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra.errors import HydraException
from omegaconf import OmegaConf

from research import composition
from research.composition import by_hydra, composed
from research.config import config_directory

SAME = [
    [],
    ["seed=3"],
    ["fusion=attention", "window=session", "window.gap=10", "seed=3"],
    ["window.gap=10", "seed=4", "window=session", "seed=5"],
    ["+auxiliary@auxiliary.contrast=contrast", "auxiliary.contrast.weight=0.2"],
    ["optimizer.lr=1e-3", "data.path='a b.csv'", "data=files"],
    ["model=sasrec", "width=32", "long.blocks=3"],
    ["items=text_categories_ids", "items.parts.ids=null", "items.parts.text.fields=[title,genre]"],
    ["++trainer.threads=1", "+extra.key=2", "trainer.max_epochs=2"],
    ["loss.precision=fp32", "size=tiny", "dropout=0.25"],
]
WRONG = [
    ["sed=3"],
    ["window.gap=10"],
    ["trainer.max_epochs=1,2"],
    ["seed=[1"],
    ["fusion=gatd", "seed=1"],
    ["trainer.theads=1", "seed=2"],
    ["no@place=3"],
]


@pytest.mark.parametrize("words", SAME, ids=lambda words: " ".join(words) or "none")
def test_equal_to_hydra(words: list[str]) -> None:
    ours, theirs = (how("train", [config_directory()], words) for how in (composed, by_hydra))
    assert OmegaConf.to_container(ours) == OmegaConf.to_container(theirs)
    assert list(ours) == list(theirs)


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_words_are_hydras_errors(words: list[str]) -> None:
    said = []
    for how in (composed, by_hydra):
        with pytest.raises(HydraException) as caught:
            how("train", [config_directory()], words)
        said.append(str(caught.value))
    assert said[0] == said[1]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The words of every composition that Hydra makes."""
    calls: list[list[str]] = []

    def counting(name, directories, words):
        calls.append(words)
        return by_hydra(name, directories, words)

    monkeypatch.setattr(composition, "by_hydra", counting)
    composition._chosen.cache_clear()
    return calls


def test_values_cost_no_composition(counted) -> None:
    configs = [composed("train", [config_directory()], ["fusion=gated", f"seed={seed}"]) for seed in range(5)]
    assert counted == [["fusion=gated"]]
    assert [config.seed for config in configs] == list(range(5))


def test_what_one_caller_does_to_its_copy_is_its_own(counted) -> None:
    first = composed("train", [config_directory()], [])
    first.window.k = 77
    assert composed("train", [config_directory()], []).window.k != 77


def test_a_file_that_changes_is_read_again(counted, tmp_path: Path) -> None:
    (tmp_path / "fusion").mkdir()
    mine = tmp_path / "fusion" / "mine.yaml"
    places = [config_directory(), tmp_path]
    for value in (0.25, 0.125):
        mine.write_text(f"_target_: research.fusion.weighted.Weighted\nweight: {value}\n")
        assert composed("train", places, ["fusion=mine"]).fusion.weight == value
    assert len(counted) == 2
