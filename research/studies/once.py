"""Nothing of a study is done by two processes at one time: a lock on a hidden file, next to what is written.

The kernel lets the lock go when its process ends, however it ends, so that a killed run blocks nobody. It holds between
machines too where they share a file system that has locks (NFS has them).
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from research.errors import UserError


class BusyError(UserError):
    """Another process is doing it."""


@contextmanager
def locked(file: Path, what: str) -> Iterator[None]:
    """Hold the lock ``file`` within; it is gone afterwards.

    Args:
        file: of the lock; its directory is made.
        what: is done under it, for the message.

    Raises:
        BusyError: another process holds it.
        UserError: the directory cannot be written to, or its file system has no locks.
    """
    held = _take(file, what)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        os.close(held)


def _take(file: Path, what: str) -> int:
    while True:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            held = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise UserError(
                f"Cannot write records to {file.parent}: {error.strerror}. Choose another place with "
                "paths.runs=DIRECTORY."
            ) from error
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who held it before removed the file behind us: then this is the lock of a name that is no more.
            if file.exists() and os.path.samestat(os.fstat(held), file.stat()):
                return held
        except FileNotFoundError:
            pass  # removed between the two looks at it
        except OSError as error:
            os.close(held)
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise BusyError(f"{what} is being done by another process and is left to it.") from None
            raise UserError(
                f"{file.parent}: its file system has no locks ({error.strerror}), so two starts could do the same run. "
                "Choose another place with paths.runs=DIRECTORY."
            ) from error
        os.close(held)


def why_failed(directory: Path) -> str | None:
    """The reason in the record of a run that failed; ``None`` where there is no such record."""
    try:
        record = json.loads((directory / "record.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # who reads a damaged record says so
        return None
    return str(record.get("reason")) if record.get("status") == "failed" else None


def heed_failure(directory: Path, *, again: bool) -> None:
    """Leave a run that failed as it is, or forget that it did: from here on it is unfinished like any other.

    Raises:
        UserError: it failed, and is not to be done again.
    """
    if (reason := why_failed(directory)) is None:
        return
    if not again:
        raise UserError(reason)
    (directory / "record.json").unlink()
