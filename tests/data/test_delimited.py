"""Delimited tables: the wanted columns, typed; wrong rows are counted, located, and dropped only when asked for."""

from __future__ import annotations

import pytest

from research.data.delimited import Delimited
from research.errors import UserError

PLAIN = Delimited(name="a.csv")
WANTED = {"user": ("u", int), "item": ("i", str)}


def test_columns_are_found_by_name_renamed_typed_and_ordered() -> None:
    table = PLAIN.read(b"x,i,u\n.5,a,7\n1,b,8\n", WANTED | {"rating": ("x", float)})
    assert table.columns == ["user", "item", "rating"]
    assert table.rows() == [(7, "a", 0.5), (8, "b", 1.0)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xef\xbb\xbfu,i\n1,a\n2,b\n", "a byte order mark"),
        (b"u,i\r\n1,a\r\n2,b\r\n", "the other line ends"),
        (b"u,i\n1,a\n\n2,b\n\n", "blank lines"),
        (b"u,i\n1,a\n2,b", "no last line end"),
        (b'u,i\n"1",a\n2,"b"\n', "quoted fields"),
        (b'u,i,z\n1,a,"x,\ny"\n2,b,z\n', "a quoted line break in a column that nobody wants"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nasty_but_right(content: bytes, why: str) -> None:
    assert PLAIN.read(content, WANTED).rows() == [(1, "a"), (2, "b")], why


def test_without_a_header_the_columns_are_given() -> None:
    layout = Delimited(name="a.tsv", separator="\t", columns=("i", "x", "u"), quote=None)
    assert layout.read(b'say "hi\tz\t1\nb\tz\t2\n', WANTED).rows() == [(1, 'say "hi'), (2, "b")]


def test_a_separator_of_two_characters() -> None:
    layout = Delimited(name="a.dat", separator="::", columns=("u", "i", "x"), quote=None)
    assert layout.read(b"1::7::3.5\n2::8::4\n", WANTED).rows() == [(1, "7"), (2, "8")]


def test_latin_1() -> None:
    layout = Delimited(name="a.txt", separator="\t", columns=("u", "i"), quote=None, encoding="latin-1")
    assert layout.read("1\tCaf\u00e9\n".encode("latin-1"), WANTED).rows() == [(1, "Caf\u00e9")]
    with pytest.raises(UserError, match="1 malformed row, line 1"):
        Delimited(name="a.txt", separator="\t", columns=("u", "i")).read("1\tCaf\u00e9\n".encode("latin-1"), WANTED)


def test_an_empty_field_is_allowed_only_where_it_is_said() -> None:
    content = b"u,i,t\n1,a,\n2,b,5\n"
    wanted = WANTED | {"time": ("t", int)}
    assert PLAIN.read(content, wanted, may_be_empty=["time"])["time"].to_list() == [None, 5]
    with pytest.raises(UserError, match="1 malformed row, line 2"):
        PLAIN.read(content, wanted)


BAD = [(b"x,a", "not a number"), (b",a", "empty"), (b"1", "too short"), (b"1,a,b", "too long"), (b"1.5,a", "not whole")]


@pytest.mark.parametrize(("row", "why"), BAD, ids=[why for _, why in BAD])
def test_wrong_rows_are_counted_and_located_or_dropped_with_a_warning(row: bytes, why: str) -> None:
    content = b"u,i\n1,a\n" + row + b"\n2,b\n" + (row + b"\n") * 6
    with pytest.raises(UserError, match=r"a\.csv: 7 malformed rows, lines 3, 5, 6, 7, 8, \.\.\.") as caught:
        PLAIN.read(content, WANTED)
    assert "right file" in str(caught.value), why
    with pytest.warns(UserWarning, match=r"a\.csv: 7 malformed rows, lines 3, 5, 6, 7, 8, \.\.\.; dropped"):
        assert PLAIN.read(content, WANTED, malformed="drop").rows() == [(1, "a"), (2, "b")]


def test_a_wrong_row_after_a_quoted_line_break_is_located_by_its_line() -> None:
    content = b'u,i\n1,"a\nb"\nx,c\n2,"d\ne"\n'
    with pytest.raises(UserError, match="1 malformed row, line 4"):
        PLAIN.read(content, WANTED)
    with pytest.warns(UserWarning, match="line 4"):
        assert PLAIN.read(content, WANTED, malformed="drop").rows() == [(1, "a\nb"), (2, "d\ne")]


def test_another_file_is_told_by_its_columns() -> None:
    with pytest.raises(UserError, match=r"a\.csv has no column 'u'; its columns are who, i"):
        PLAIN.read(b"who,i\n1,a\n", WANTED)
    with pytest.raises(UserError, match=r"a\.csv is empty"):
        PLAIN.read(b"", WANTED)


def test_a_header_alone_is_a_table_of_nothing() -> None:
    assert PLAIN.read(b"u,i\n", WANTED).rows() == []
