"""Preparation in blocks against preparation in memory: byte for byte the same, whatever the sizes of the blocks.

The slow twins: `to_histories` sorts a table in memory; `slow_selection` keeps rows of a table in memory.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from research.data import by_user, delimited, lines, numbering, spool, store
from research.data.build import build
from research.data.columns import NOT_CODES
from research.data.delimited import Delimited
from research.data.interactions import spooled
from research.data.numbering import Numbering
from research.data.prepare import prepare, to_histories
from research.data.selection import Selection
from research.data.sources.movielens import MovieLens
from research.data.text_source import Streamed
from research.errors import UserError

SELECTIONS = {
    "all": None,
    "rating": Selection(min_rating=3),
    "first": Selection(duplicates="first"),
    "last": Selection(duplicates="last"),
    "consecutive": Selection(consecutive="drop"),
    "core": Selection(user_core=4, item_core=5),
    "one pass": Selection(user_core=5, item_core=6, passes=1),
    "everything": Selection(min_rating=2, duplicates="last", consecutive="drop", user_core=2, item_core=3),
}


def slow_selection(selection: Selection, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that are kept, by whole-table operations."""
    if selection.min_rating is not None:
        rows = rows.filter(pl.col("rating") >= selection.min_rating)
    timed = rows.with_row_index("_row")
    timed = timed.sort("time", maintain_order=True) if "time" in rows.columns else timed
    if selection.duplicates != "keep":
        timed = timed.unique(["user", "item"], keep=selection.duplicates, maintain_order=True)
    if selection.consecutive == "drop":
        timed = timed.filter(pl.col("item").ne_missing(pl.col("item").shift(1).over("user")))
    rows = timed.sort("_row").drop("_row")
    done = 0
    while selection.user_core or selection.item_core:
        enough = (pl.len().over("user") >= selection.user_core) & (pl.len().over("item") >= selection.item_core)
        left = rows.filter(enough)
        if len(left) == len(rows) or done == (selection.passes or -1):
            break
        rows, done = left, done + 1
    return rows


@dataclass(frozen=True, kw_only=True)
class Log(Streamed):
    """A table that comes in blocks of random sizes."""

    table: pl.DataFrame = field(compare=False)
    seed: int

    @property
    def name(self) -> str:
        return "log"

    def fingerprint(self) -> str:
        return str(self.seed)

    def blocks(self, raw) -> Iterator[pl.DataFrame]:
        rng, first = np.random.default_rng(self.seed), 0
        while first < len(self.table):
            size = int(rng.integers(0, 40))
            yield self.table[first : first + size]
            first += size


def table(seed: int, *, times: str) -> pl.DataFrame:
    """Few users, items and times: many ties and repeats."""
    rng = np.random.default_rng(seed)
    N = int(rng.integers(100, 200))
    words = np.array(["pv", "cart", "buy", None], dtype=object)
    columns = {
        "user": rng.zipf(1.6, N) % 23 if seed % 2 else np.array([f"u\u00e9{k}" for k in rng.integers(0, 17, N)]),
        "item": rng.integers(0, 19, N) * 10**12,
        "time": rng.integers(-3, 9, N),
        "rating": rng.integers(1, 6, N) / 2 + 1,
        "behaviour": words[rng.integers(0, 4, N)].tolist(),
        "session": rng.integers(0, 300, N),
    }
    if times == "none":
        del columns["time"]
    if times == "fine":
        columns["moment"] = columns["time"] * 1000 + rng.integers(0, 4, N) * 250
    return pl.DataFrame(columns, strict=False)


def sizes(monkeypatch: pytest.MonkeyPatch, block: int, room: int) -> None:
    monkeypatch.setattr(spool, "BLOCK", block)
    monkeypatch.setattr(by_user, "ROOM", room)
    monkeypatch.setattr(numbering, "_AT_ONCE", 5)


@pytest.mark.parametrize("times", ["seconds", "fine", "none"])
@pytest.mark.parametrize("selection", SELECTIONS.values(), ids=SELECTIONS)
def test_the_same_bytes_as_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, selection: Selection | None, times: str
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # hundreds of small sets
    for seed in range(2):
        source = Log(table=table(seed, times=times), seed=seed)
        rows = source.read({})
        twin = to_histories("log", slow_selection(selection, rows) if selection else rows)
        store.save(twin, tmp_path / f"twin-{seed}")
        wanted = {path.name: path.read_bytes() for path in (tmp_path / f"twin-{seed}").iterdir()}
        for block, room in ((1, 1), (7, 11), (1000, 60)):
            sizes(monkeypatch, block, room)
            cache = tmp_path / f"{seed}-{block}-{room}"
            h = prepare(source, cache=cache, selection=selection)
            assert (h.digest, h.columns_digest) == (twin.digest, twin.columns_digest)
            (made,) = (cache / "prepared").iterdir()
            got = {path.name: path.read_bytes() for path in made.iterdir() if path.name != "selection.json"}
            assert got == wanted
    assert len(list(cache.rglob("*part*"))) == 0, "nothing of the sort is left"


def test_the_twin_of_the_test_is_the_order_of_a_plain_loop() -> None:
    rows = table(3, times="fine").sort("moment", maintain_order=True)
    h = to_histories("log", rows)
    users = list(dict.fromkeys(rows["user"].to_list()))
    wanted = sorted(range(len(rows)), key=lambda row: (users.index(rows["user"][row]), rows["time"][row], row))
    assert h.item_ids[h.items - 1].tolist() == [str(rows["item"][row]) for row in wanted]
    words = [rows["behaviour"][row] for row in wanted]
    names = h.vocabularies["behaviour"]
    assert [None if code == 0 else names[code - 1] for code in h.columns["behaviour"]] == words


def test_a_large_csv_file_comes_in_blocks_and_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows = np.stack([rng.integers(1, 40, 900), rng.integers(1, 60, 900), rng.integers(0, 30, 900)], axis=1)
    text = "userId,movieId,rating,timestamp\r\n" + "".join(f"{u},{i},3.5,{t}\r\n" for u, i, t in rows)
    (tmp_path / "m/ml-20m").mkdir(parents=True)
    (tmp_path / "m/ml-20m/ratings.csv").write_bytes(text.encode())
    whole = to_histories("ml-20m", MovieLens(size="20m").read({"ratings.csv": text.encode()}))
    for portion in (40, 100, 1000, 10**6):
        monkeypatch.setattr(delimited, "PORTION", portion)
        h = prepare(MovieLens(size="20m"), cache=tmp_path / str(portion), mirrors=[tmp_path / "m"])
        assert h.digest == whole.digest
    assert whole.items.tolist() == [
        int(np.flatnonzero(np.array(list(dict.fromkeys(rows[:, 1].tolist()))) == i)[0]) + 1
        for u in dict.fromkeys(rows[:, 0].tolist())
        for i in rows[rows[:, 0] == u][np.argsort(rows[rows[:, 0] == u][:, 2], kind="stable")][:, 1]
    ]


class TestTextInBlocks:
    WANTED = {"user": ("u", int), "item": ("i", str)}  # noqa: RUF012

    def outcome(self, content: bytes, layout: Delimited, malformed: str) -> object:
        try:
            return layout.read(content, self.WANTED, malformed=malformed).rows()  # type: ignore[arg-type]
        except UserError as error:
            return str(error)

    @pytest.mark.filterwarnings("ignore:.*dropped")
    @pytest.mark.parametrize("malformed", ["error", "drop"])
    @pytest.mark.parametrize("header", [True, False])
    @settings(deadline=None, max_examples=60)
    @given(
        rows=st.lists(
            st.sampled_from(["1,a", "2,b", "", "x,c", "3", '4,"q\nq"', '"5",e', "6,", ",", '7,""', "8,h,9", "-1,é"])
        ),
        end=st.sampled_from(["\n", "\r\n"]),
        last=st.booleans(),
        portion=st.integers(1, 30),
    )
    def test_blocks_of_any_size_give_the_rows_and_the_line_numbers_of_one(
        self, malformed: str, header: bool, rows: list[str], end: str, last: bool, portion: int
    ) -> None:
        text = end.join([*(["u,i"] if header else []), *rows]) + (end if last else "")
        layout = Delimited(name="a.csv", columns=() if header else ("u", "i"))
        with pytest.MonkeyPatch.context() as patch:
            whole = self.outcome(text.encode(), layout, malformed)
            patch.setattr(delimited, "PORTION", portion)
            assert self.outcome(text.encode(), layout, malformed) == whole
        if malformed == "drop" and header:  # and it is what the csv module reads
            read = list(csv.reader(io.StringIO(text, newline="")))[1:]
            good = [(int(row[0]), row[1]) for row in read if len(row) == 2 and row[0].lstrip("-").isdigit() and row[1]]
            assert whole == good

    def test_the_count_goes_to_the_end_and_the_lines_are_those_of_the_file(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(delimited, "PORTION", 16)
        text = "u,i\n" + "1,a\n" * 50 + "x,b\n" + "1,a\n" * 50 + "\n" + "x,c\n" * 6
        with pytest.raises(UserError, match=r"7 malformed rows, lines 52, 104, 105, 106, 107, \.\.\."):
            Delimited(name="a.csv").read(text.encode(), self.WANTED)
        with pytest.warns(
            UserWarning, match=r"7 malformed rows, lines 52, 104, 105, 106, 107, \.\.\.; dropped"
        ) as said:
            assert len(Delimited(name="a.csv").read(text.encode(), self.WANTED, malformed="drop")) == 100
        assert len(said) == 1, "once for the file, not for every block"

    def test_json_lines_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lines, "_AT_ONCE", 3)
        content = b'{"u": 1}\n' * 10 + b"nothing\n" + b'{"u": 1}\n' * 10 + b'{"u": "x"}\n'
        with pytest.raises(UserError, match=r"2 malformed lines \(11, 22\)"):
            lines.read_lines(content, {"user": ("u", int)}, name="a")


class TestParts:
    @settings(deadline=None)
    @given(
        pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(-(2**62), 2**62) | st.integers(0, 3))),
    )
    def test_the_fast_order_is_lexsort(self, pairs: list[tuple[int, int]]) -> None:
        user, time = (np.array([pair[k] for pair in pairs], dtype=np.int64) for k in (0, 1))
        assert by_user.order(user.astype(np.int32), time).tolist() == np.lexsort((time, user)).tolist()

    def test_numbers_by_first_appearance_over_blocks(self) -> None:
        rng, one, known = np.random.default_rng(0), Numbering(), {}
        for _ in range(20):
            ids = rng.integers(0, 200, 30)
            wanted = [known.setdefault(int(id_), len(known)) for id_ in ids]
            assert one.codes(pl.Series(ids)).tolist() == wanted
            assert len(one) == len(known)
        assert one.names().tolist() == [str(id_) for id_ in known]
        assert one.names(np.array([3, 0])).tolist() == [str(list(known)[3]), str(next(iter(known)))]

    def test_memory_grows_by_less_than_a_column(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A byte for every interaction says whether it is kept; no array of numbers is as long."""
        sizes(monkeypatch, 2_000, 10_000)
        few, more = (self.peak(N, tmp_path / str(N)) for N in (100_000, 300_000))
        assert more - few < 3 * 200_000, "times alone have 8 bytes"

    def peak(self, N: int, folder: Path) -> int:
        """Bytes that Python and numpy hold at once to select and sort."""
        folder.mkdir()
        rng = np.random.default_rng(0)
        rows = pl.DataFrame({one: rng.integers(0, 300, N) for one in ("user", "item", "time")})
        log = spooled("log", (rows[first : first + 2_000] for first in range(0, N, 2_000)), folder, NOT_CODES)
        tracemalloc.start()
        kept_N, _ = Selection(duplicates="last", user_core=2)(log)
        build(log, kept_N, folder / "made")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert {path.name for path in folder.iterdir()} == {"rows", "made"}, "the parts are gone"
        return peak

    def test_rows_without_a_user_are_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="log: 1 rows have no item"):
            spooled("log", [pl.DataFrame({"user": [1, 2], "item": [None, 2]})], tmp_path)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="a peak is begun anew on Linux only")
def test_a_large_file_needs_little_memory(tmp_path: Path) -> None:
    """2 million rows: whole tables of them need over 100 MB, beyond what the process has at its start."""
    rng = np.random.default_rng(0)
    names = {"userId": 5_000, "movieId": 3_000, "timestamp": 10**9}
    table = pl.DataFrame({name: rng.integers(1, most, 2_000_000) for name, most in names.items()})
    table.write_csv(tmp_path / "a.csv")
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "import polars as pl\n"
        "from research.data import by_user, delimited, spool\n"
        "from research.data.prepare import prepare\n"
        "from research.data.sources.files import Files\n"
        "delimited.PORTION, spool.BLOCK, by_user.ROOM = 1 << 20, 1 << 15, 1 << 17\n"
        "def make(path, cache):\n"
        "    names = {'user': 'userId', 'item': 'movieId', 'time': 'timestamp'}\n"
        "    return prepare(Files(path=path, **names), cache=Path(cache))\n"
        "Path(sys.argv[1], 'b.csv').write_text('userId,movieId,timestamp\\n1,2,3\\n')\n"
        "make(sys.argv[1] + '/b.csv', sys.argv[1])\n"  # everything is imported and every thread is running
        "Path('/proc/self/clear_refs').write_text('5')\n"  # the peak begins anew
        "def peak():\n"
        "    lines = Path('/proc/self/status').read_text().splitlines()\n"
        "    return next(int(line.split()[1]) for line in lines if line.startswith('VmHWM'))\n"
        "before = peak()\n"
        "h = make(sys.argv[1] + '/a.csv', sys.argv[1])\n"
        "print(len(h.items), peak() - before)\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, cwd=root, check=True
    )
    rows, grown = map(int, done.stdout.split())
    assert rows == 2_000_000
    assert grown * 1024 < 60e6, f"{grown / 1024:.0f} MB more than at the start"
