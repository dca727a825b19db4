"""Which content is accepted: a pinned SHA-256, else the one recorded when the file first came.

A publisher often states the checksum of the archive only, or none. Then the archive's checksum is compared where
there is one, and the SHA-256 of the unpacked file is written beside it, as ``<name>.sha256`` in the format of
``sha256sum``. From then on it counts as pinned: another version is refused, and prepared data is bound to it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from research.data.atomic import write_whole
from research.data.raw import Place, RawFile, UnavailableError


def _beside(folder: Path, file: RawFile) -> Path:
    return folder / f"{file.name}.sha256"


def expected(file: RawFile, folder: Path) -> str | None:
    """The SHA-256 that the content must have, or ``None`` when neither pinned nor recorded in ``folder``."""
    if file.sha256:
        return file.sha256
    try:
        found = re.match(r"[0-9a-f]{64}\b", _beside(folder, file).read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return None
    return found[0] if found else None


def verify(found: str, size: int, file: RawFile, folder: Path) -> None:
    """Compare content, by its SHA-256, with what is expected; content of which nothing is known passes.

    Raises:
        UnavailableError: it is something else.
    """
    wanted = expected(file, folder)
    if wanted is not None and found != wanted:
        recorded = "" if file.sha256 else f"; to accept another version, delete {_beside(folder, file)}"
        raise UnavailableError(
            f"wrong content: {size:,} bytes, SHA-256 {found[:12]}..., not {wanted[:12]}...{recorded}"
        )


def record(found: str, file: RawFile, folder: Path) -> None:
    """Write down the SHA-256 of an accepted file, unless it is pinned or written down already."""
    if expected(file, folder) is None:
        line = f"{found}  {file.name}\n"
        write_whole(_beside(folder, file), line.encode("ascii"))


def known(files: Sequence[RawFile], folder: Path) -> list[str] | None:
    """SHA-256 of every file that is needed; ``None`` when one of them never came."""
    hashes = [expected(file, folder) for file in files if not file.optional]
    return None if None in hashes else [one for one in hashes if one is not None]


def verify_packed(path: Path, place: Place) -> None:
    """Compare an archive with the checksum that its publisher states, where there is one.

    Raises:
        UnavailableError: it is another archive.
    """
    if not place.checksum:
        return
    kind, _, wanted = place.checksum.partition(":")
    try:
        with path.open("rb") as file:
            # MD5 finds a damaged or changed archive; nobody is kept from forging one. It is all that is published.
            found = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise UnavailableError(f"cannot be read ({error.strerror or error})") from None
    if found != wanted:
        raise UnavailableError(f"wrong archive: {kind} {found[:12]}..., the publisher states {wanted[:12]}...")
