"""Files that are written whole or not at all: a temporary name beside the target, fsync, then os.replace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from research.errors import UserError


def unused_sibling(path: Path, purpose: str) -> Path:
    """A hidden name beside ``path`` that no other process uses."""
    return path.with_name(f".{path.name}.{purpose}-{os.getpid()}-{os.urandom(4).hex()}")


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``; a reader sees the old file or the new one, never a part."""
    temporary = unused_sibling(path, "tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing_below(cache: Path) -> Iterator[None]:
    """Turn a failed write below the cache directory into a message with the mend.

    Raises:
        UserError: the directory cannot be made or written to.
    """
    try:
        yield
    except OSError as error:
        raise UserError(
            f"Cannot write to the data cache {cache}: {error.strerror or error}"
            f"{f' ({error.filename})' if error.filename else ''}. "
            "Set RESEARCH_CACHE to a directory that you may write to and that has room."
        ) from error
