"""A user's own file in each format: the same rows, the same order, the same mistakes explained; read in blocks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from research.data import tables
from research.data.prepare import prepare
from research.data.sources.files import Files
from research.errors import UserError

# Twelve rows; the times tie; ids are words that look like numbers.
ROWS = pl.DataFrame(
    {
        "who": [f"0{k % 5}" for k in range(12)],
        "what": [f"i{k % 7}" for k in range(12)],
        "when": [30, 10, 20, 20, 10, 30, 10, 10, 40, 0, 5, 5],
        "device": ["tv", None, "phone"] * 4,
    }
)
NAMES = {"user": "who", "item": "what", "time": "when", "carry": ["device"]}


def write(path: Path, rows: pl.DataFrame = ROWS) -> Path:
    """In the format that the ending says."""
    if path.suffix == ".csv":
        rows.write_csv(path)
    elif path.suffix == ".tsv":
        rows.write_csv(path, separator="\t")
    elif path.suffix == ".parquet":
        pq.write_table(rows.to_arrow(), path, row_group_size=5)
    elif path.suffix == ".feather":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.to_arrow().schema) as writer:
            writer.write_table(rows.to_arrow(), max_chunksize=5)
    elif path.suffix == ".arrow":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, rows.to_arrow().schema) as writer:
            writer.write_table(rows.to_arrow(), max_chunksize=5)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows.to_dicts()))
    return path


ENDINGS = ["csv", "tsv", "jsonl", "parquet", "arrow", "feather"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_is_the_same_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    monkeypatch.setattr(tables, "ROWS", 3)
    source = Files(path=str(write(tmp_path / f"a.{ending}")), **NAMES)
    assert source.name == "a"
    assert source.read({}).rows() == ROWS.select("who", "what", "when", "device").rows()
    h = prepare(source, cache=tmp_path / "c")
    # User 00 has rows 0, 5 and 10, at 30, 30 and 5; items are numbered by first appearance, i0 to i6.
    assert h.user_ids.tolist() == ["00", "01", "02", "03", "04"]
    assert h.items[: h.offsets[1]].tolist() == [4, 1, 6] and h.times[: h.offsets[1]].tolist() == [5, 30, 30]
    assert h.vocabularies["device"].tolist() == ["tv", "phone"]
    assert h.columns["device"][: h.offsets[1]].tolist() == [0, 1, 2]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_changed_file_is_prepared_anew(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    for rows in (12, 11):
        assert len(prepare(Files(path=str(write(path, ROWS[:rows])), **NAMES), cache=tmp_path / "c").items) == rows


class TestBlocks:
    @pytest.mark.parametrize("ending", ["parquet", "arrow", "feather"])
    def test_columnar_files_come_in_blocks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
        monkeypatch.setattr(tables, "ROWS", 4)
        blocks = [len(one) for one in Files(path=str(write(tmp_path / f"a.{ending}")), **NAMES).blocks({})]
        assert sum(blocks) == 12 and max(blocks) <= 5


class TestTypes:
    def test_dates_order_by_their_fractions_and_are_cut_to_seconds(self, tmp_path: Path) -> None:
        day = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
        times = pl.Series([900_000, 100_000, 1_500_000]) + int(day) * 1_000_000
        rows = pl.DataFrame({"user": [1, 1, 1], "item": [7, 8, 9], "time": times.cast(pl.Datetime("us"))})
        h = prepare(Files(path=str(write(tmp_path / "a.parquet", rows))), cache=tmp_path / "c")
        assert h.item_ids[h.items - 1].tolist() == ["8", "7", "9"]
        assert h.times.tolist() == [day, day, day + 1]

    def test_whole_numbers_that_a_missing_one_made_decimals(self, tmp_path: Path) -> None:
        rows = pl.DataFrame({"user": [1.0, 2.0, None], "item": [7, 8, 9], "time": [1.9, 2.0, 3.0]})
        path = str(write(tmp_path / "a.parquet", rows))
        with pytest.warns(UserWarning, match="1 malformed row, number 3; dropped"):
            assert Files(path=path, malformed="drop").read({}).rows() == [(1, 7, 1), (2, 8, 2)]
        half = write(tmp_path / "b.parquet", rows.with_columns(user=pl.Series([1.5, 2.0, 3.0])))
        with pytest.raises(UserError, match="column 'user' holds decimals"):
            Files(path=str(half)).read({})

    def test_words_are_no_times(self, tmp_path: Path) -> None:
        rows = pl.DataFrame({"user": [1], "item": [7], "time": ["today"]})
        with pytest.raises(UserError, match="column 'time' holds String, not times"):
            Files(path=str(write(tmp_path / "a.parquet", rows))).read({})

    def test_json_ids_may_be_numbers(self, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text('{"user": 5, "item": "x", "time": 3.7}\n')
        assert Files(path=str(tmp_path / "a.jsonl")).read({}).rows() == [("5", "x", 3)]


class TestMistakes:
    @pytest.mark.parametrize(
        ("ending", "said"),
        [
            ("csv", "2 malformed rows, lines 3, 8"),
            ("tsv", "2 malformed rows, lines 3, 8"),
            ("jsonl", r"2 malformed lines \(2, 7\)"),
            ("parquet", "2 malformed rows, numbers 2, 7"),
            ("arrow", "2 malformed rows, numbers 2, 7"),
        ],
    )
    def test_rows_that_lack_something_are_counted_and_named_or_dropped(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, said: str
    ) -> None:
        monkeypatch.setattr(tables, "ROWS", 3)
        lacking = ROWS.with_row_index("n").with_columns(
            pl.when(pl.col("n") != 1).then("who").alias("who"), pl.when(pl.col("n") != 6).then("when").alias("when")
        )
        path = str(write(tmp_path / f"a.{ending}", lacking.drop("n")))
        with pytest.raises(UserError, match=said):
            Files(path=path, **NAMES).read({})
        with pytest.warns(UserWarning, match=f"{said}; dropped"):
            assert len(Files(path=path, malformed="drop", **NAMES).read({})) == 10

    @pytest.mark.parametrize("ending", ["parquet", "arrow"])
    def test_what_it_is_not_and_what_it_lacks(self, tmp_path: Path, ending: str) -> None:
        (tmp_path / f"a.{ending}").write_bytes(b"user,item\n1,2\n" * 9)
        with pytest.raises(UserError, match=f"a.{ending} cannot be read as"):
            Files(path=str(tmp_path / f"a.{ending}")).read({})
        with pytest.raises(UserError, match="has no column 'user'; its columns are who, what"):
            Files(path=str(write(tmp_path / f"b.{ending}"))).read({})
        with pytest.raises(UserError, match=r"No such file.*data\.path"):
            Files(path=str(tmp_path / f"c.{ending}")).read({})

    def test_the_format_may_be_said(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv").rename(tmp_path / "a.parquet")
        assert len(Files(path=str(path), format="text", **NAMES).read({})) == 12

    def test_a_file_or_the_hub(self) -> None:
        with pytest.raises(UserError, match="one of them"):
            Files(path="a.csv", hub="somebody/something")


class TestHub:
    """A folder that `datasets` loads stands for a repository: no network."""

    @pytest.fixture(autouse=True)
    def alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        datasets = pytest.importorskip("datasets")
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)

    def test_a_folder_with_parts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tables, "ROWS", 5)
        folder = tmp_path / "plays"
        (folder / "data").mkdir(parents=True)
        write(folder / "data/train-00000-of-00002.parquet", ROWS[:7])
        write(folder / "data/train-00001-of-00002.parquet", ROWS[7:])
        write(folder / "data/test-00000-of-00001.parquet", ROWS[:2])
        source = Files(hub=str(folder), **NAMES)
        assert source.name == "plays"
        assert source.read({}).rows() == ROWS.select("who", "what", "when", "device").rows()
        assert len(Files(hub=str(folder), part="test", **NAMES).read({})) == 2
        of_a_file = Files(path=str(write(tmp_path / "a.csv")), **NAMES)
        whole = prepare(source, cache=tmp_path / "c")
        assert whole.digest == prepare(of_a_file, cache=tmp_path / "c").digest
        again = Files(hub=str(folder), **NAMES)
        assert again.fingerprint() == source.fingerprint()
        assert Files(hub=str(folder), part="test", **NAMES).fingerprint() != source.fingerprint()

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"datasets cannot load.*data\.hub"):
            Files(hub=str(tmp_path / "absent")).read({})
        (tmp_path / "empty").mkdir()
        with pytest.raises(UserError, match="datasets cannot load"):
            Files(hub=str(tmp_path / "empty")).read({})
