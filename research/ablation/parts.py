"""What a composed model is made of, as far as an ablation asks: classes are looked at, nothing is built."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from omegaconf import DictConfig

from research.auxiliary.base import Auxiliary
from research.config import compose
from research.encoders.base import Encoder
from research.fusion.base import Fusion
from research.schema import target_class
from research.training.compatible import name_of
from research.windows.base import Window


@dataclass(frozen=True)
class Parts:
    """A composed run and the words that made it."""

    config: DictConfig
    words: tuple[str, ...]

    @cached_property
    def fusion(self) -> type[Fusion]:
        return target_class(self.config.fusion._target_, Fusion)

    @property
    def fusion_name(self) -> str:
        return name_of(self.fusion)

    @property
    def two_branches(self) -> bool:
        """Whether the fusion reads both branches, so that another one can take its place."""
        return set(self.fusion.branches) == {"long", "short"}

    @property
    def reads_items(self) -> bool:
        """Whether the fusion makes a view of its own out of the items, so that no encoder stands for it."""
        return not self.fusion.twin and self.fusion.reads_before

    @cached_property
    def window(self) -> type[Window]:
        return target_class(self.config.window._target_, Window)

    def encoder(self, view: str) -> type[Encoder]:
        return target_class(self.config[view]._target_, Encoder)

    def interests(self, view: str) -> int:
        """How many vectors the state of a view is made of."""
        return int(self.config[view].get("interests", 1))

    def terms(self, branches: tuple[str, ...]) -> list[str]:
        """The auxiliary terms that read these branches only."""
        found = {str(name): target_class(node._target_, Auxiliary) for name, node in self.config.auxiliary.items()}
        return [name for name, term in found.items() if set(term.branches) <= set(branches)]

    def chosen(self, group: str) -> list[str]:
        """The options of a group of which a model has several at one time, such as ``augmentation``."""
        return [str(name) for name in self.config.get(group) or {}]

    def encoder_words(self, source: str, target: str) -> list[str]:
        """Words that give the encoder of one view, with its settings, to the other view."""
        name = name_of(self.encoder(source))
        word = f"encoder@{target}={name}"
        rest = [each for each in self.words if not touches(word, each)]
        usual = compose([*rest, word])[target]
        differ = {key: value for key, value in self.config[source].items() if usual.get(key) != value}
        return [word, *(f"{target}.{key}={_written(value)}" for key, value in differ.items())]


def node_of(key: str) -> str:
    """Which node of the configuration a key is about: ``encoder@long``, ``long.layers`` -> ``long``."""
    return key.lstrip("+~").rpartition("@")[2].partition(".")[0]


def touches(change: str, word: str) -> bool:
    """Whether a word of the model no longer holds once a change is made: another part, or the same key."""
    new, old = (each.partition("=")[0].lstrip("+~") for each in (change, word))
    return new == old if "." in new else node_of(new) == node_of(old)


def _written(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
