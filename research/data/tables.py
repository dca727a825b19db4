"""Columnar files of a user, read in blocks: Parquet, Arrow, and data sets that `datasets` loads by name.

Ids stay whole numbers or words. Times may be numbers of seconds, or dates with a type of their own; these keep their
microseconds for the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from research.data.malformed import Malformed, Wrong
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

ROWS = 1 << 20
"""Rows of a block."""


def parquet_blocks(path: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The columns of a Parquet file, block by block.

    Raises:
        UserError: it is no such file, or has no such column.
    """
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _check(path, columns, file.schema_arrow.names)
            for batch in file.iter_batches(batch_size=ROWS, columns=list(columns)):
                yield pl.DataFrame(pl.from_arrow(batch))
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} cannot be read as a Parquet file: {_first_line(error)}") from error


def arrow_blocks(path: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The columns of an Arrow file (Feather) or of an Arrow stream, block by block.

    Raises:
        UserError: it is no such file, or has no such column.
    """
    import polars as pl
    import pyarrow as pa

    try:
        with pa.OSFile(str(path), "rb") as file:
            try:
                reader = pa.ipc.open_file(file)
                batches: Iterable[Any] = map(reader.get_batch, range(reader.num_record_batches))
            except pa.ArrowInvalid:
                file.seek(0)
                batches = reader = pa.ipc.open_stream(file)
            _check(path, columns, reader.schema.names)
            for batch in batches:
                yield pl.DataFrame(pl.from_arrow(batch.select(list(columns))))
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} cannot be read as an Arrow file: {_first_line(error)}") from error


class Hub:
    """A data set that `datasets` loads: of the Hugging Face hub, of its local cache, or a folder of files.

    Args:
        name: ``owner/name``, or a folder.
        subset: the configuration, where it has several; empty: its own choice.
        part: such as ``train``.

    Raises:
        UserError: it cannot be loaded, or has no such part.
    """

    def __init__(self, name: str, subset: str, part: str) -> None:
        import datasets
        from datasets.exceptions import DatasetsError

        self.name = name
        try:
            # Scripts of a repository are never run: `datasets` 4 and later has no such feature.
            self.data = datasets.load_dataset(name, subset or None, split=part)
        except (OSError, ValueError, DatasetsError) as error:
            raise UserError(
                f"datasets cannot load {name!r} ({_first_line(error)}). Check data.hub and data.part."
            ) from error

    @property
    def fingerprint(self) -> str:
        """Of the files that `datasets` has prepared: their folders are named by what they were made from."""
        files = [Path(one["filename"]) for one in self.data.cache_files]
        return repr([(*file.parts[-3:], file.stat().st_size) for file in files])

    def blocks(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The columns, block by block.

        Raises:
            UserError: it has no such column.
        """
        import polars as pl

        _check(self.name, columns, self.data.column_names)
        for batch in self.data.select_columns(list(columns)).with_format("arrow").iter(batch_size=ROWS):
            yield pl.DataFrame(pl.from_arrow(batch))


def tidied(
    blocks: Iterable[pl.DataFrame], wanted: Mapping[str, str], carried: Sequence[str], name: str, malformed: Malformed
) -> Iterator[pl.DataFrame]:
    """Blocks with our columns; rows that lack a user, an item or a time are counted, by their numbers from 1.

    Args:
        blocks: of the file.
        wanted: ``user``, ``item`` and perhaps ``time`` -> the file's column.
        carried: further columns, as they are.
        name: the file's, for messages.
        malformed: what happens to such rows.

    Raises:
        UserError: a column has another type, or such rows are not to be dropped.
    """
    import polars as pl

    wrong, row = Wrong(name), 1
    for block in blocks:
        columns = {ours: _ids(block[wanted[ours]], name) for ours in ("user", "item")}
        if "time" in wanted:
            columns |= _times(block[wanted["time"]], name)
        table = pl.DataFrame(columns | {one: block[one] for one in carried})
        good = table.select(
            pl.all_horizontal(pl.col("user", "item", *(["time"] if "time" in wanted else [])).is_not_null())
        )
        good = good.to_series()
        wrong.add(row + place for place in (~good).arg_true())
        row += len(block)
        if not wrong.count or malformed == "drop":
            yield table.filter(good)
    wrong.settle(
        malformed, wrong.numbers, f". Each needs {', '.join(wanted)}. Mend or remove them, or say data.malformed=drop."
    )


def _ids(column: pl.Series, name: str) -> pl.Series:
    """Whole numbers or words; an empty word is none."""
    import polars as pl

    if column.dtype.is_integer():
        return column.cast(pl.Int64)
    if column.dtype.is_float():  # whole numbers become such where some are missing
        if (column.drop_nulls().drop_nans() % 1 != 0).any():
            raise UserError(f"{name}: column {column.name!r} holds decimals, which are no ids.")
        return column.fill_nan(None).cast(pl.Int64)
    words = column.cast(pl.String)
    return words.set(words == "", None)


def _times(column: pl.Series, name: str) -> dict[str, pl.Series]:
    import polars as pl

    if column.dtype.is_temporal() and column.dtype != pl.Time and not isinstance(column.dtype, pl.Duration):
        moment = column.cast(pl.Datetime("us")).dt.epoch("us")
        return {"time": moment // 1_000_000, "moment": moment}
    if not column.dtype.is_numeric():
        raise UserError(f"{name}: column {column.name!r} holds {column.dtype}, not times or numbers of seconds.")
    if column.dtype.is_float():
        column = column.set(~column.is_finite(), None).floor()
    return {"time": column.cast(pl.Int64)}


def _check(name: object, columns: Sequence[str], known: Sequence[str]) -> None:
    if absent := [one for one in columns if one not in known]:
        raise UserError(
            f"{name} has no column {absent[0]!r}; its columns are {', '.join(known)}. Name them in data.user, ..."
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
