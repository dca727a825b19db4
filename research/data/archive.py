"""Read one file out of a zip or gzip container: in memory, with a bound, never extracted to disk."""

from __future__ import annotations

import gzip
import lzma
import zipfile
import zlib
from pathlib import Path
from typing import Protocol

from research.data.raw import Place, UnavailableError


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_packed(path: Path, place: Place, max_bytes: int) -> bytes:
    """The unpacked content of ``path``.

    Args:
        path: the container, or the plain file.
        place: says how it is packed: a zip member's name, or a name that ends in ``.gz``.
        max_bytes: bound on the unpacked size; a larger content is refused, whatever the container's header
            claims.

    Raises:
        UnavailableError: not readable, not such a container, no such member, or too large.
    """
    try:
        if place.member:
            with zipfile.ZipFile(path) as archive, archive.open(place.member) as file:
                return _bounded(file, max_bytes)
        if place.at.endswith(".gz"):
            with gzip.open(path) as file:
                return _bounded(file, max_bytes)
        with path.open("rb") as file:
            return _bounded(file, max_bytes)
    except KeyError:
        raise UnavailableError(f"the archive has no file {place.member!r}") from None
    except zipfile.BadZipFile as error:
        raise UnavailableError(f"not a readable zip file ({error})") from None
    except (
        gzip.BadGzipFile,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise UnavailableError(f"cannot be unpacked ({error})") from None
    except OSError as error:
        raise UnavailableError(f"cannot be read ({error.strerror or error})") from None


def _bounded(file: _Readable, max_bytes: int) -> bytes:
    # The header's size field is not trusted: a zip bomb lies there. Reading one byte more than allowed tells.
    content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise UnavailableError(f"larger than {max_bytes:,} bytes when unpacked")
    return content
