"""Files of the Hugging Face hub: from a server on this machine that answers as it does, and from the hub's cache."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from research.data.fetch import fetch
from research.data.raw import HubFile, RawFile
from research.errors import UserError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONTENT = b"user_id,parent_asin,rating,timestamp\nA,B,5.0,1700000000000\n" * 50
FILE = HubFile(repo="lab/set", path="benchmark/all.csv")


@dataclass
class Hub:
    """What the server has, by the path behind ``resolve/<revision>/``, and who asked for what."""

    files: dict[str, bytes] = field(default_factory=dict)
    error: str = ""
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, body: bool) -> None:
            state.asked.append(f"{self.command} {self.path}")
            before = "/datasets/lab/set/resolve/main/"
            content = state.files.get(self.path.removeprefix(before)) if self.path.startswith(before) else None
            if state.error or content is None:
                self.send_response(404 if state.error != "GatedRepo" else 403)
                self.send_header("X-Error-Code", state.error or "EntryNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{httpd.server_address[1]}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield state
    httpd.shutdown()
    httpd.server_close()


def raw(**changes) -> RawFile:
    settings = {"name": "all.csv", "hub": FILE, "sha256": hashlib.sha256(CONTENT).hexdigest()}
    return RawFile(**{**settings, **changes})


def put_into_hub_cache(root: Path, content: bytes) -> None:
    """The layout that every tool of the hub shares; an earlier commit than the server's."""
    folder = root / "datasets--lab--set"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs/main").write_text(COMMIT[::-1])
    path = folder / "snapshots" / COMMIT[::-1] / FILE.path
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def test_a_file_comes_over_the_network_and_lies_in_our_cache_alone(hub: Hub, tmp_path: Path) -> None:
    hub.files[FILE.path] = CONTENT
    seen: list[tuple[str, int, int | None]] = []
    got = fetch("set", [raw()], cache=tmp_path / "c", progress=lambda *told: seen.append(told))
    assert got == {"all.csv": CONTENT}
    assert {p.name for p in (tmp_path / "c").rglob("*") if p.is_file()} == {"all.csv"}, "nothing of the client stays"
    assert not (tmp_path / "hub").exists()
    assert seen[-1] == ("the Hugging Face hub, lab/set, benchmark/all.csv", len(CONTENT), len(CONTENT))
    before = len(hub.asked)
    assert fetch("set", [raw()], cache=tmp_path / "c") == got and len(hub.asked) == before, "then no network"


def test_the_hubs_own_cache_needs_no_network(hub: Hub, tmp_path: Path) -> None:
    put_into_hub_cache(tmp_path / "hub", CONTENT)
    assert fetch("set", [raw()], cache=tmp_path / "c") == {"all.csv": CONTENT}
    assert hub.asked == []
    assert fetch("other", [raw(optional=True)], cache=tmp_path / "c") == {"all.csv": CONTENT}


def test_wrong_content_is_refused_wherever_it_comes_from(hub: Hub, tmp_path: Path) -> None:
    put_into_hub_cache(tmp_path / "hub", b"old")
    hub.files[FILE.path] = CONTENT
    assert fetch("set", [raw()], cache=tmp_path / "c") == {"all.csv": CONTENT}, "an old cached file: the network"
    hub.files[FILE.path] = b"changed"
    with pytest.raises(UserError, match="wrong content: 7 bytes"):
        fetch("set", [raw()], cache=tmp_path / "d")


def test_a_changed_file_of_unknown_hash_is_noticed(hub: Hub, tmp_path: Path) -> None:
    hub.files[FILE.path] = CONTENT
    fetch("set", [raw(sha256="")], cache=tmp_path / "c")
    (tmp_path / "c/raw/set/all.csv").unlink()
    hub.files[FILE.path] = b"changed"
    with pytest.raises(UserError, match=r"to accept another version, delete .*all\.csv\.sha256"):
        fetch("set", [raw(sha256="")], cache=tmp_path / "c")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("EntryNotFound", "no file benchmark/all.csv at revision main"),
        ("RevisionNotFound", "no revision main"),
        ("RepoNotFound", "no dataset lab/set"),
        ("GatedRepo", "set HF_TOKEN"),
    ],
)
def test_what_the_hub_refuses_is_said(hub: Hub, tmp_path: Path, error: str, said: str) -> None:
    hub.error = error
    with pytest.raises(UserError, match="Could not get all") as caught:
        fetch("set", [raw()], cache=tmp_path / "c")
    assert said in str(caught.value)


def test_a_larger_file_is_refused_before_it_comes(hub: Hub, tmp_path: Path) -> None:
    hub.files[FILE.path] = CONTENT
    with pytest.raises(UserError, match="more than the limit of 10"):
        fetch("set", [raw(max_bytes=10)], cache=tmp_path / "c")
    assert not any(line.startswith("GET") for line in hub.asked)


def test_no_network_is_told_at_once_and_once(tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"the Hugging Face hub, lab/set, .*: no connection to 127\.0\.0\.1:9"):
        fetch("set", [raw()], cache=tmp_path / "c")


def test_an_optional_file_never_causes_a_download(hub: Hub, tmp_path: Path) -> None:
    hub.files[FILE.path] = CONTENT
    assert fetch("set", [raw(optional=True)], cache=tmp_path / "c") == {} and hub.asked == []
