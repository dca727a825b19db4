"""Read one file out of a zip, gzip, tar or tar.gz container: bit by bit, with a bound, never under its own name."""

from __future__ import annotations

import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from research.data.raw import Place, UnavailableError

_PORTION = 1024 * 1024


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_packed(path: Path, place: Place, max_bytes: int) -> bytes:
    """The unpacked content of ``path`` in memory; see `portions`."""
    return b"".join(portions(path, place, max_bytes))


def portions(path: Path, place: Place, max_bytes: int) -> Iterator[bytes]:
    """The unpacked content of ``path``, bit by bit.

    Args:
        path: the container, or the plain file.
        place: says how it is packed: a member's name, or a name that ends in ``.gz``.
        max_bytes: bound on the unpacked size; a larger content is refused, whatever the container's header
            claims.

    Raises:
        UnavailableError: not readable, not such a container, no such member, or too large; also behind the first
            portions, which are then worth nothing.
    """
    try:
        if place.member and place.at.endswith((".tar.gz", ".tgz", ".tar")):
            yield from _from_tar(path, place.member, max_bytes)
        elif place.member:
            with zipfile.ZipFile(path) as archive, archive.open(place.member) as file:
                yield from _bounded(file, max_bytes)
        elif place.at.endswith(".gz"):
            with gzip.open(path) as file:
                yield from _bounded(file, max_bytes)
        else:
            with path.open("rb") as file:
                yield from _bounded(file, max_bytes)
    except KeyError:
        raise UnavailableError(f"the archive has no file {place.member!r}") from None
    except zipfile.BadZipFile as error:
        raise UnavailableError(f"not a readable zip file ({error})") from None
    except (
        gzip.BadGzipFile,
        tarfile.TarError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise UnavailableError(f"cannot be unpacked ({error})") from None
    except OSError as error:
        raise UnavailableError(f"cannot be read ({error.strerror or error})") from None


def _from_tar(path: Path, member: str, max_bytes: int) -> Iterator[bytes]:
    # As a stream: the archive has no index, and finding a member by name would unpack all of it first.
    with tarfile.open(path, "r|*") as archive:
        for entry in archive:
            if entry.isreg() and entry.name.removeprefix("./") == member:
                file = archive.extractfile(entry)
                assert file is not None  # a regular file always opens
                yield from _bounded(file, max_bytes)
                return
    raise KeyError(member)


def _bounded(file: _Readable, max_bytes: int) -> Iterator[bytes]:
    # The header's size field is not trusted: a zip bomb lies there. Reading one byte more than allowed tells. By
    # portions, as gzip reserves memory for as much as is asked for at once.
    size = 0
    while portion := file.read(min(_PORTION, max_bytes + 1 - size)):
        size += len(portion)
        if size > max_bytes:
            raise UnavailableError(f"larger than {max_bytes:,} bytes when unpacked")
        yield portion
