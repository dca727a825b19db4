"""What there is: every part that can be chosen and every named model, each with a line, its paper and its size.

The line and the paper are those of the first comment of an option's file: its first line, or its first sentence where
that is longer. There a paper is a bracket that ends in a year behind a comma, such as (Kang & McAuley, ICDM 2018).

Sizes are counted, not computed: a part is built at the asked sizes for two items and users, for an item more and
for a user more. A parameter that grows is a table of items or of users, which dwarfs all else, so tables are counted
apart, for the catalogue that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf
from torch import nn

from research.config import compose, option_file, options
from research.data.fetch import Announce
from research.data.histories import Histories
from research.data.load import load
from research.data.split import Spans
from research.encoders.base import Encoder
from research.errors import UserError
from research.fusion.base import Fusion
from research.items.base import ItemTable
from research.schema import build, check, nearest
from research.sizes import Sizes
from research.training.assemble import assemble

GROUPS = (
    "items",
    "encoder",
    "window",
    "recent_mask",
    "shuffle",
    "fusion",
    "branch_dropout",
    "scoring",
    "objective",
    "loss",
    "avoid",
    "auxiliary",
    "augmentation",
    "schedule",
    "averaging",
    "baseline",
    "model",
)
"""In the order of a model; what is left out is data, protocol, and how a run is carried out."""
COUNTED: dict[str, type[nn.Module]] = {"items": ItemTable, "encoder": Encoder, "fusion": Fusion}
"""Groups whose parts are built from the sizes of a run; the others are not asked."""
STATED = {"n_items": 10_000, "n_users": 10_000}
"""The catalogue where no dataset is asked for."""
PAPER = re.compile(r"\s*\(([^()]+, [^()]*\b(?:19|20)\d\d)\)")


@dataclass(frozen=True)
class Entry:
    """One option of a group.

    Attributes:
        group: such as ``encoder``.
        name: such as ``gru``.
        line: what it is.
        paper: authors, venue and year, where there is one.
        parameters: learned numbers beside the tables; ``None`` where nothing is built from the sizes of a run.
        tables: learned numbers of tables of items and users.
    """

    group: str
    name: str
    line: str
    paper: str | None
    parameters: int | None
    tables: int | None


class Catalogue:
    """What can be chosen. A group is read and counted when it is asked for: all of them take some seconds."""

    def __init__(self, words: list[str], announce: Announce | None = None) -> None:
        """Choose groups and sizes.

        Args:
            words: names of groups, none for all of them, and overrides such as ``size=base``. With ``data=NAME``
                tables are counted for that dataset, which is fetched and prepared if need be.
            announce: shows a line of text to the user, such as the terms of a dataset.

        Raises:
            UserError: there is no such group, or an override is wrong.
        """
        asked = [word for word in words if "=" not in word]
        for group in asked:
            if group not in GROUPS:
                known = ", ".join(GROUPS)
                raise UserError(f"There is no group {group!r}. Known: {known}.{nearest(group, list(GROUPS))}")
        self.groups = [group for group in GROUPS if not asked or group in asked]
        self._overrides = [word for word in words if "=" in word]
        self._base = compose(self._overrides)
        stated = STATED
        if any(word.startswith(("data=", "data.")) for word in self._overrides):
            histories, _ = load(self._base, announce=announce)
            stated = {"n_items": histories.n_items, "n_users": histories.n_users}
        self.sizes = Sizes(self._base.width, self._base.max_length, **stated)

    def of(self, group: str) -> list[Entry]:
        """The options of a group.

        Raises:
            UserError: one cannot be built with these overrides.
        """
        return [self._entry(group, name) for name in options(group)]

    def plain(self) -> dict[str, Any]:
        """All of it as one JSON object."""
        return {"sizes": asdict(self.sizes), "entries": [asdict(e) for group in self.groups for e in self.of(group)]}

    def _entry(self, group: str, name: str) -> Entry:
        path = option_file(group, name)
        line, paper = described(path.read_text(encoding="utf-8"))
        parameters = tables = None
        if group == "model":
            config = compose([f"model={name}", *self._overrides])
            parameters, tables = counts(lambda n_items, n_users: assembled(config, n_items, n_users), self.sizes)
        elif group in COUNTED:
            part = self._part(path) or compose([f"{group}={name}", *self._overrides])[group]
            check(part, group)
            few = partial(Sizes, self.sizes.width, self.sizes.max_length)
            parameters, tables = counts(lambda *n: build(part, COUNTED[group], few(*n)), self.sizes)
        return Entry(group, name, line, paper, parameters, tables)

    def _part(self, path: Path) -> DictConfig | None:
        """Not composed, for which Hydra takes a fifth of a second; ``None`` where it consists of several files."""
        read = OmegaConf.load(path)
        if "defaults" in read:
            return None
        root = self._base.copy()
        OmegaConf.set_readonly(root, False)
        OmegaConf.update(root, "part", read, force_add=True)
        OmegaConf.resolve(root.part)
        return root.part


def described(text: str) -> tuple[str, str | None]:
    """The line and the paper that the head of an option's file states."""
    comments = [line for line in text.splitlines() if line.startswith("# ") and not line.startswith("# @")]
    head, *rest = (line[2:].strip() for line in comments)
    for line in rest:  # a sentence may run on
        if head.endswith("."):
            break
        head = f"{head} {re.sub(r'(?<=[.]) .*', '', line)}"
    return PAPER.sub("", head).removesuffix("."), "; ".join(PAPER.findall(head)) or None


def assembled(config: DictConfig, n_items: int, n_users: int) -> nn.Module:
    """A model for users who all know all items."""
    stop_U = n_items * np.arange(1, n_users + 1)
    histories = Histories(
        name="none",
        offsets=np.concatenate([[0], stop_U]),
        items=np.tile(np.arange(1, n_items + 1, dtype=np.int32), n_users),
        times=np.arange(n_items * n_users),
        n_items=n_items,
        has_times=True,
        user_ids=np.arange(n_users).astype(str),
        item_ids=np.arange(n_items).astype(str),
        digest="none",
    )
    return assemble(config, histories, Spans(np.arange(n_users), stop_U - n_items, stop_U), read=False).model


def counts(of: Callable[[int, int], nn.Module], sizes: Sizes) -> tuple[int, int]:
    """Learned numbers beside tables, and of tables of the whole catalogue."""
    small, more_items, more_users = (dict(of(*n).named_parameters()) for n in ((2, 2), (3, 2), (2, 3)))
    own = tables = 0
    for name, parameter in small.items():
        n = parameter.numel()
        an_item, a_user = more_items[name].numel() - n, more_users[name].numel() - n
        if an_item or a_user:
            tables += n + (sizes.n_items - 2) * an_item + (sizes.n_users - 2) * a_user
        else:
            own += n
    return own, tables
