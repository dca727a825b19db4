"""Small raw files in the formats of the real ones, and where they come from: directory, server, wheel."""

from __future__ import annotations

import hashlib
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from research.data.raw import Place, RawFile, WheelMember
from research.data.sources.movielens_100k import MovieLens100K, u_data_of_atomic_file

# Three users, four items; user 7 has two rows at time 30 and one at 10, in this file order.
U_DATA = b"7\t50\t5\t30\n9\t60\t3\t5\n7\t40\t1\t30\n7\t60\t2\t10\n9\t50\t4\t6\n8\t30\t3\t99\n"
U_ITEM = "30|Caf\u00e9 (1990)|x\n40|B|x\n50|C|x\n60|D |x\n".encode("latin-1")
ATOMIC = b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + U_DATA
ATOMIC_ITEM = "item_id:token\ttitle\tyear\tclass\n30\tCaf\u00e9\t1990\tx\n40\tB\t1991\tx\n".encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, kw_only=True)
class SmallMovieLens(MovieLens100K):
    """MovieLens100K in every respect but the content, its hash, and the addresses."""

    raw: tuple[RawFile, ...]

    def files(self) -> tuple[RawFile, ...]:
        return self.raw


FakePip = Callable[[Mapping[str, bytes]], tuple[str, ...]]


@dataclass
class Server:
    """A web server on this machine; ``bodies`` by path, and what it does wrong."""

    url: str
    bodies: dict[str, bytes] = field(default_factory=dict)
    break_after: int | None = None
    ignore_range: bool = False
    announced: int | None = None  # a length that is not the body's; 0: no length is announced
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append((self.path, wanted))
            body = state.bodies.get(self.path)
            if body is None:
                self.send_error(404)
                return
            first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and not state.ignore_range else 0
            if first >= len(body) and first:
                self.send_error(416)
                return
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
            if state.announced != 0:
                self.send_header("Content-Length", str(state.announced or len(body) - first))
            self.end_headers()
            self.wfile.write(body[first:] if state.break_after is None else body[first : state.break_after])

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield state
    httpd.shutdown()
    httpd.server_close()


def write_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def archive_members() -> dict[str, bytes]:
    """What the official archive would hold of the small dataset."""
    return {"ml-100k/u.data": U_DATA, "ml-100k/u.item": U_ITEM}


@pytest.fixture
def make_zip() -> Callable[[Path, Mapping[str, bytes]], Path]:
    return write_zip


@pytest.fixture
def fake_pip(tmp_path: Path) -> FakePip:
    """A command that answers ``pip download`` with a hand-made wheel, or as pip does without one."""

    def make(members: Mapping[str, bytes]) -> tuple[str, ...]:
        wheel = write_zip(tmp_path / "index" / "recbole-1.2.1-py3-none-any.whl", members)
        script = tmp_path / "index" / "pip.py"
        script.write_text(
            "import shutil, sys\n"
            "assert sys.argv[1] == 'download' and {'--no-deps', '--only-binary=:all:'} < set(sys.argv)\n"
            "if sys.argv[-1] != 'recbole==1.2.1':\n"
            "    sys.exit('ERROR: No matching distribution found for ' + sys.argv[-1])\n"
            f"shutil.copy({str(wheel)!r}, sys.argv[sys.argv.index('--dest') + 1])\n"
        )
        return (sys.executable, str(script))

    return make


@pytest.fixture
def small() -> SmallMovieLens:
    """Found in directories only."""
    data, item, atomic_item, *_ = MovieLens100K().files()
    return SmallMovieLens(
        raw=(
            replace(data, sha256=sha256(U_DATA), urls=(), wheel=None),
            replace(item, sha256=sha256(U_ITEM), urls=()),
            replace(atomic_item, sha256=sha256(ATOMIC_ITEM), wheel=None),
        )
    )


@pytest.fixture
def from_server(small: SmallMovieLens, server: Server) -> SmallMovieLens:
    """Found as a zip archive on the server only."""
    url = f"{server.url}/ml-100k.zip"
    data, item, _ = small.raw
    return SmallMovieLens(
        raw=(
            replace(data, places=(), urls=(Place(url, "ml-100k/u.data"),)),
            replace(item, places=(), urls=(Place(url, "ml-100k/u.item"),)),
        )
    )


@pytest.fixture
def from_wheel(small: SmallMovieLens, fake_pip: FakePip) -> SmallMovieLens:
    """Found in a wheel only."""
    inside = "recbole/dataset_example/ml-100k/ml-100k"
    pip = fake_pip({f"{inside}.inter": ATOMIC, f"{inside}.item": ATOMIC_ITEM})
    data, _, item = small.raw

    def wheel(member: str, convert: Callable[[bytes], bytes]) -> WheelMember:
        return WheelMember(requirement="recbole==1.2.1", member=member, convert=convert, pip=pip, seconds=20)

    return SmallMovieLens(
        raw=(
            replace(data, places=(), wheel=wheel(f"{inside}.inter", u_data_of_atomic_file)),
            replace(item, wheel=wheel(f"{inside}.item", bytes)),
        )
    )


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A user's directory with the unpacked files."""
    folder = tmp_path / "mirror" / "ml-100k"
    folder.mkdir(parents=True)
    (folder / "u.data").write_bytes(U_DATA)
    (folder / "u.item").write_bytes(U_ITEM)
    return folder.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real files; tests that want them are marked ``shared``."""
    folder = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real files of ../shared/data are not here")
    return folder
