"""One record a line, JSON or Python's own notation: fields by key, wrong lines counted, nothing executed."""

from __future__ import annotations

import pytest

from research.data import lines
from research.data.lines import read_lines, records
from research.errors import UserError

WANTED = {"user": ("who", str), "rating": ("stars", float), "time": ("t", int)}


def test_json_lines() -> None:
    content = (
        b'{"t": 3, "who": "a", "stars": 5.0, "text": "two\\nlines, \\"quoted\\""}\n\n{"who":"\\u00e9","stars":4,"t":-1}'
    )
    table = read_lines(content, WANTED, name="x.json")
    assert table.rows() == [("a", 5.0, 3), ("\u00e9", 4.0, -1)]
    assert [str(kind) for kind in table.dtypes] == ["String", "Float64", "Int64"]


def test_python_lines() -> None:
    content = b"{u'who': u'it\\'s', 'stars': 1, 't': 2, 'early': False, 'none': None}\n"
    content += b"{'who': \"a\", 'stars': 2.5, 't': 3}\n"
    assert read_lines(content, WANTED, name="x", python=True).rows() == [("it's", 1.0, 2), ("a", 2.5, 3)]


@pytest.mark.parametrize("python", [False, True])
@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"who": "a", "stars": 1, "t"', "cut off"),
        (b'{"who": "a", "stars": 1}', "a field is missing"),
        (b'{"who": "", "stars": 1, "t": 2}', "no user"),
        (b'{"who": 7, "stars": 1, "t": 2}', "a number for a name"),
        (b'{"who": "a", "stars": "5", "t": 2}', "a name for a number"),
        (b'{"who": "a", "stars": 5, "t": 2.5}', "a decimal time"),
        (b'["who", "stars", "t"]', "a list"),
        (b'{"who": "\xe9", "stars": 1, "t": 2}', "latin-1"),
        (b"__import__('os').system('true')", "code"),
    ],
)
def test_wrong_lines_are_counted_and_located_or_dropped(line: bytes, why: str, python: bool) -> None:
    good = b'{"who": "a", "stars": 1, "t": 2}\n'
    content = good + (line + b"\n") * 6 + b"\n" + good + line
    with pytest.raises(UserError, match=r"x\.json: 7 malformed lines \(2, 3, 4, 5, 6, \.\.\.\)") as caught:
        read_lines(content, WANTED, name="x.json", python=python)
    assert "who, stars, t" in str(caught.value), why
    with pytest.warns(UserWarning, match="7 malformed lines.*dropped"):
        table = read_lines(content, WANTED, name="x.json", python=python, malformed="drop")
    assert table.rows() == [("a", 1.0, 2)] * 2


def test_portions_come_together_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_AT_ONCE", 3)
    for n in (0, 1, 3, 4, 7):
        content = "".join(f'{{"who": "u{k}", "stars": {k}, "t": {k}}}\n' for k in range(n)).encode()
        assert read_lines(content, WANTED, name="x").rows() == [(f"u{k}", float(k), k) for k in range(n)]


def test_records_keep_their_line_numbers() -> None:
    assert list(records(b'\n{"a": 1}\n5\n')) == [(2, {"a": 1}), (3, None)]
