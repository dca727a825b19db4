"""Files of which nobody states a hash: the publisher's archive is compared, the first content is recorded."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest

from research.data import checksums
from research.data.archive import read_packed
from research.data.fetch import fetch
from research.data.prepare import prepare
from research.data.raw import Place, RawFile, UnavailableError
from research.data.source import Source, read_integers
from research.errors import UserError

FIRST, SECOND = b"1 2 3\n", b"1 2 4\n"
FILE = RawFile(name="a.txt", places=(Place("a.txt"), Place("a.zip", "in/a.txt")), page="https://example.org/form")


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_first_content_is_recorded_as_sha256sum_writes_it(tmp_path: Path) -> None:
    put(tmp_path / "m/a.txt", FIRST)
    assert fetch("set", [FILE], cache=tmp_path, mirrors=[tmp_path / "m"]) == {"a.txt": FIRST}
    recorded = tmp_path / "raw/set/a.txt.sha256"
    assert recorded.read_text() == f"{hashlib.sha256(FIRST).hexdigest()}  a.txt\n"


def test_a_file_put_by_hand_is_recorded_too(tmp_path: Path) -> None:
    put(tmp_path / "raw/set/a.txt", FIRST)
    fetch("set", [FILE], cache=tmp_path)
    assert (tmp_path / "raw/set/a.txt.sha256").exists()


def test_another_version_is_refused_until_the_record_is_deleted(tmp_path: Path) -> None:
    mirror = put(tmp_path / "m/a.txt", FIRST)
    fetch("set", [FILE], cache=tmp_path, mirrors=[tmp_path / "m"])
    (tmp_path / "raw/set/a.txt").unlink()
    mirror.write_bytes(SECOND)
    recorded = tmp_path / "raw/set/a.txt.sha256"
    with pytest.raises(UserError, match=r"wrong content.*to accept another version, delete") as caught:
        fetch("set", [FILE], cache=tmp_path, mirrors=[tmp_path / "m"])
    assert str(recorded) in str(caught.value)
    recorded.unlink()
    assert fetch("set", [FILE], cache=tmp_path, mirrors=[tmp_path / "m"]) == {"a.txt": SECOND}


def test_a_cached_file_that_changed_is_corrupt(tmp_path: Path) -> None:
    put(tmp_path / "m/a.txt", FIRST)
    fetch("set", [FILE], cache=tmp_path, mirrors=[tmp_path / "m"])
    put(tmp_path / "raw/set/a.txt", FIRST[:-2])
    said: list[str] = []
    assert fetch("set", [FILE], cache=tmp_path, mirrors=[tmp_path / "m"], announce=said.append) == {"a.txt": FIRST}
    assert len(said) == 1 and "corrupt" in said[0]


def test_a_pinned_file_is_not_recorded(tmp_path: Path) -> None:
    pinned = replace(FILE, sha256=hashlib.sha256(FIRST).hexdigest())
    put(tmp_path / "m/a.txt", FIRST)
    fetch("set", [pinned], cache=tmp_path, mirrors=[tmp_path / "m"])
    assert [path.name for path in (tmp_path / "raw/set").iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    "record", ["", "nonsense\n", "\u00e9", "ab" * 31], ids=["empty", "words", "not ASCII", "short"]
)
def test_a_damaged_record_is_no_record(tmp_path: Path, record: str) -> None:
    put(tmp_path / "a.txt.sha256", record.encode())
    assert checksums.expected(FILE, tmp_path) is None


def test_the_message_says_which_page_has_the_file_and_names_no_hash(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        fetch("set", [FILE], cache=tmp_path)
    message = str(caught.value)
    assert "https://example.org/form has it. To mend it by hand, put the file at" in message
    assert "SHA-256" not in message


class TestArchives:
    @pytest.fixture
    def zipped(self, tmp_path: Path, make_zip: Callable[[Path, Mapping[str, bytes]], Path]) -> Path:
        return make_zip(tmp_path / "m/a.zip", {"in/a.txt": FIRST})

    @pytest.mark.parametrize("kind", ["sha256", "md5"])
    def test_the_publishers_archive_is_accepted_and_another_is_not(
        self, tmp_path: Path, zipped: Path, kind: str, make_zip: Callable
    ) -> None:
        stated = f"{kind}:{hashlib.new(kind, zipped.read_bytes()).hexdigest()}"
        file = replace(FILE, places=(Place("a.zip", "in/a.txt", stated),))
        assert fetch("set", [file], cache=tmp_path / "1", mirrors=[tmp_path / "m"]) == {"a.txt": FIRST}
        make_zip(zipped, {"in/a.txt": SECOND})
        with pytest.raises(UserError, match=f"wrong archive: {kind} .*the publisher states"):
            fetch("set", [file], cache=tmp_path / "2", mirrors=[tmp_path / "m"])

    def test_a_download_is_compared_too(self, tmp_path: Path, zipped: Path, server) -> None:
        server.bodies["/a.zip"] = zipped.read_bytes()
        stated = f"md5:{hashlib.md5(zipped.read_bytes()).hexdigest()}"
        for checksum, good in ((stated, True), ("md5:" + "0" * 32, False)):
            file = replace(FILE, places=(), urls=(Place(f"{server.url}/a.zip", "in/a.txt", checksum),))
            if good:
                assert fetch("set", [file], cache=tmp_path / "good") == {"a.txt": FIRST}
            else:
                with pytest.raises(UserError, match="wrong archive"):
                    fetch("set", [file], cache=tmp_path / "bad")
                assert not (tmp_path / "bad/raw/set/a.txt").exists()

    def test_pinned_content_counts_whatever_it_is_packed_in(self, tmp_path: Path, zipped: Path) -> None:
        place = Place("a.zip", "in/a.txt", "md5:" + "0" * 32)
        file = replace(FILE, places=(place,), sha256=hashlib.sha256(FIRST).hexdigest())
        assert fetch("set", [file], cache=tmp_path, mirrors=[tmp_path / "m"]) == {"a.txt": FIRST}


class TestTar:
    @staticmethod
    def make(path: Path, entries: list[tuple[str, bytes | str]]) -> Path:
        """Bytes make a file, a string a symbolic link."""
        with tarfile.open(path, "w:gz") as archive:
            for name, content in entries:
                info = tarfile.TarInfo(name)
                if isinstance(content, str):
                    info.type, info.linkname = tarfile.SYMTYPE, content
                    archive.addfile(info)
                else:
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))
        return path

    @pytest.mark.parametrize("name", ["x/a", "./x/a"])
    @pytest.mark.parametrize("ending", [".tar.gz", ".tgz"])
    def test_a_member_is_read(self, tmp_path: Path, name: str, ending: str) -> None:
        path = self.make(tmp_path / f"s{ending}", [("other", SECOND), (name, FIRST)])
        assert read_packed(path, Place(f"s{ending}", "x/a"), 100) == FIRST
        assert [one.name for one in tmp_path.iterdir()] == [path.name], "nothing is unpacked to disk"

    def test_what_is_absent_a_link_too_large_or_cut_off_is_refused(self, tmp_path: Path) -> None:
        path = self.make(tmp_path / "s.tar.gz", [("link", "/etc/passwd"), ("big", bytes(10_000_000))])
        for member, why in (("a", "has no file 'a'"), ("link", "has no file 'link'"), ("big", "larger than 1,000")):
            with pytest.raises(UnavailableError, match=why):
                read_packed(path, Place("s.tar.gz", member), 1000)
        path.write_bytes(path.read_bytes()[:-40])
        with pytest.raises(UnavailableError):
            read_packed(path, Place("s.tar.gz", "big"), 20_000_000)
        path.write_bytes(gzip.compress(b"no archive"))
        with pytest.raises(UnavailableError):
            read_packed(path, Place("s.tar.gz", "a"), 1000)


@dataclass(frozen=True, kw_only=True)
class Unpinned(Source):
    """One file without a hash, and one that may be absent."""

    @property
    def name(self) -> str:
        return "set"

    def files(self) -> tuple[RawFile, ...]:
        return FILE, RawFile(name="titles.txt", places=(Place("titles.txt"),), optional=True)

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        return read_integers(raw["a.txt"], ["user", "item", "time"], " ", "a.txt")


class TestPrepared:
    def test_it_is_built_once_and_found_again_without_the_raw_file(self, tmp_path: Path) -> None:
        put(tmp_path / "m/a.txt", FIRST)
        first = prepare(Unpinned(), cache=tmp_path, mirrors=[tmp_path / "m"])
        (tmp_path / "m/a.txt").unlink()
        (tmp_path / "raw/set/a.txt").unlink()
        assert prepare(Unpinned(), cache=tmp_path).digest == first.digest

    def test_another_version_never_meets_the_prepared_data_of_the_first(self, tmp_path: Path) -> None:
        put(tmp_path / "m/a.txt", FIRST)
        assert prepare(Unpinned(), cache=tmp_path, mirrors=[tmp_path / "m"]).times.tolist() == [3]
        for path in (tmp_path / "raw/set").iterdir():
            path.unlink()
        put(tmp_path / "m/a.txt", SECOND)
        assert prepare(Unpinned(), cache=tmp_path, mirrors=[tmp_path / "m"]).times.tolist() == [4]
        assert len(list((tmp_path / "prepared").iterdir())) == 2

    def test_without_a_record_the_prepared_data_is_found_by_the_content(self, tmp_path: Path) -> None:
        put(tmp_path / "m/a.txt", FIRST)
        prepare(Unpinned(), cache=tmp_path, mirrors=[tmp_path / "m"])
        (tmp_path / "raw/set/a.txt.sha256").unlink()
        prepare(Unpinned(), cache=tmp_path)
        assert len(list((tmp_path / "prepared").iterdir())) == 1
