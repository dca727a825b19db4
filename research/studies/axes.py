"""The axes of a study: their values, and the points of the grid that are left out.

axes:
  fusion: [sum, gated]                           # a list of values of any configuration key
  window.k: {from: 5, to: 20, step: 5}           # 5, 10, 15, 20: equal steps, both ends included
  optimizer.lr: {from: 0.001, to: 0.1, times: 10}  # 0.001, 0.01, 0.1: equal factors
  data:                                          # or values of several words each, under names
    places: [data=foursquare-nyc, evaluation=repeats]
    films: [data=ml-1m]
exclude:
  - {encoder@long: bert4rec, fusion: gated}      # every point that has all of these values
  - {window.k: [15, 20], fusion: sum}            # a list: any of them

A range ends at the last value that is not beyond ``to``. Its values are counted in decimals, so that 0.1 to 0.3 by 0.1
is 0.1, 0.2, 0.3 and not 0.30000000000000004.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from itertools import product
from typing import Any

from research.errors import UserError
from research.schema import nearest
from research.spelling import plain

MOST = 1000
"""Values of one range; more is a slip of the pen."""

RANGE = {"from", "to", "step", "times"}

Point = dict[str, str]
"""Axis -> value, as a configuration spells it."""


def read_axis(key: str, said: Any, where: str) -> list[Any]:
    """The values of one axis: a list as it stands, or a range written out.

    Args:
        key: of the axis.
        said: what the study file says.
        where: the file, for messages.

    Raises:
        UserError: neither a list of values nor a range that can be counted.
    """
    if isinstance(said, list) and said:
        return said
    if not isinstance(said, dict):
        raise UserError(
            f"{where}: axis {key!r} should be a list of values, such as [5, 10], or a range, such as "
            "{from: 5, to: 20, step: 5}."
        )
    if set(said) not in ({"from", "to", "step"}, {"from", "to", "times"}):
        raise UserError(
            f"{where}: axis {key!r}: a range has 'from', 'to' and either 'step' or 'times', such as "
            f"{{from: 5, to: 20, step: 5}} or {{from: 8, to: 64, times: 2}}; here: {', '.join(map(str, said))}."
        )
    steps = "step" in said
    first, last, by = (_number(key, said, word, where) for word in ("from", "to", "step" if steps else "times"))
    if steps and (by <= 0 or last < first):
        raise UserError(f"{where}: axis {key!r}: 'step' should be above 0 and 'to' at least 'from'.")
    if not steps and (by <= 1 or first <= 0 or last < first):
        raise UserError(f"{where}: axis {key!r}: 'times' should be above 1, 'from' above 0 and 'to' at least 'from'.")
    values = []
    while first <= last:
        values.append(first)
        first = first + by if steps else first * by
        if len(values) > MOST:
            raise UserError(f"{where}: axis {key!r}: the range has more than {MOST} values.")
    whole = all(value == value.to_integral_value() for value in values) and not _fraction(said)
    return [int(value) if whole else float(value) for value in values]


def is_bundled(said: Any) -> bool:
    """Whether an axis names its values, each of which stands for some words."""
    return isinstance(said, dict) and bool(said) and not set(said) & RANGE


def read_words(said: Mapping[Any, Any], what: str, where: str) -> dict[str, list[str]]:
    """Names and the words that they stand for.

    Args:
        said: what the study file says.
        what: these are, for messages: ``arm``, or ``axis 'data':``.
        where: the file, for messages.

    Raises:
        UserError: something else than a list of words stands under a name.
    """
    for name, words in said.items():
        if not isinstance(words, list) or not all(isinstance(word, str) and "=" in word for word in words):
            raise UserError(f"{where}: {what} {name!r} should be a list of overrides, such as [width=128, fusion=sum].")
    return {plain(name): words for name, words in said.items()}


def read_exclude(said: Any, axes: Mapping[str, list[Any]], where: str) -> list[dict[str, list[str]]]:
    """Check ``exclude``: each entry becomes axis -> the values that it names.

    Args:
        said: what the study file says.
        axes: of the study, the named arms among them.
        where: the file, for messages.

    Raises:
        UserError: an entry is no mapping, names an axis or a value that there is not, or leaves out nothing that the
            entries before it do not.
    """
    entries: list[dict[str, list[str]]] = []
    for entry in said:
        if not isinstance(entry, dict) or not entry:
            raise UserError(f"{where}: 'exclude': {entry!r} should be a mapping of axes to values, such as {_EXAMPLE}.")
        checked: dict[str, list[str]] = {}
        for key, value in entry.items():
            if key not in axes:
                names = nearest(str(key), list(axes))
                raise UserError(f"{where}: 'exclude': there is no axis {key!r}. Axes: {', '.join(axes)}.{names}")
            known = [plain(each) for each in axes[key]]
            checked[key] = [plain(each) for each in (value if isinstance(value, list) else [value])]
            if unknown := [each for each in checked[key] if each not in known]:
                mend = f" Its values: {', '.join(known)}.{nearest(unknown[0], known)}"
                raise UserError(f"{where}: 'exclude': axis {key!r} has no value {unknown[0]!r}.{mend}")
        before = points(axes, entries)
        entries.append(checked)
        if len(points(axes, entries)) == len(before):
            raise UserError(f"{where}: 'exclude': {entry} leaves out no point that the lines before it do not.")
    if not points(axes, entries):
        raise UserError(f"{where}: 'exclude' leaves nothing of the grid.")
    return entries


def points(axes: Mapping[str, list[Any]], exclude: list[dict[str, list[str]]]) -> list[Point]:
    """The grid without what is excluded, the last axis fastest."""
    grid = (dict(zip(axes, map(plain, values), strict=True)) for values in product(*axes.values()))
    return [point for point in grid if not any(matches(point, entry) for entry in exclude)]


def matches(point: Mapping[str, str], entry: Mapping[str, list[str]]) -> bool:
    """Whether a point has one of the values of every axis that the entry names."""
    return all(point.get(key) in values for key, values in entry.items())


_EXAMPLE = "{encoder@long: bert4rec, fusion: gated}"


def _number(key: str, said: Mapping[str, Any], word: str, where: str) -> Decimal:
    try:
        if isinstance(said[word], bool):
            raise InvalidOperation
        value = Decimal(str(said[word]))  # a text too: YAML takes 1e-4 for one
        if not value.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise UserError(f"{where}: axis {key!r}: {word!r} should be a number; got {said[word]!r}.") from None
    return value


def _fraction(said: Mapping[str, Any]) -> bool:
    """Whether a number is written as a fraction: 1.0 stays one."""
    return any(not isinstance(value, int) for value in said.values())
