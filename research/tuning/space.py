"""What a tuning may choose from: for each key of a configuration a range or a list of values.

In a study file, and in the records   {optimizer.lr: {low: 0.0003, high: 0.01, log: true}, dropout: [0.1, 0.2]}
On the command line                   optimizer.lr=log(0.0003,0.01) dropout=[0.1,0.2] window.k=whole(2,20)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from research.errors import UserError
from research.schema import nearest
from research.spelling import plain

Scalar = str | int | float | bool | None

CASTS = ("int", "float", "str", "bool", "json_str", "extend_list")
"""What else has brackets in a word: Hydra's ways to write one value."""


@dataclass(frozen=True)
class Range:
    """All numbers from ``low`` to ``high``, both included.

    Attributes:
        low: the least.
        high: the greatest.
        log: whether equal ratios are equally likely, and not equal differences.
        whole: whether only whole numbers count.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @property
    def ends(self) -> tuple[Scalar, ...]:
        return self.low, self.high

    def written(self) -> dict[str, Any]:
        """As a file says it."""
        return {"low": self.low, "high": self.high} | {k: True for k in ("log", "whole") if getattr(self, k)}

    def __str__(self) -> str:
        kinds = [word for word, is_so in (("log scale", self.log), ("whole numbers", self.whole)) if is_so]
        return f"{self.low:g} to {self.high:g}" + (f" ({', '.join(kinds)})" if kinds else "")


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Scalar, ...]

    @property
    def ends(self) -> tuple[Scalar, ...]:
        return self.values[0], self.values[-1]

    def written(self) -> list[Scalar]:
        """As a file says it."""
        return list(self.values)

    def __str__(self) -> str:
        return "one of " + ", ".join(plain(value) for value in self.values)


Space = Mapping[str, Range | Choice]


def words(values: Mapping[str, Scalar]) -> list[str]:
    """Overrides: ``{"dropout": 0.1} -> ["dropout=0.1"]``."""
    return [f"{key}={plain(value)}" for key, value in values.items()]


def written(space: Space) -> dict[str, Any]:
    """Plain data that ``read_space`` reads back."""
    return {key: domain.written() for key, domain in space.items()}


def read_space(content: object, where: str) -> dict[str, Range | Choice]:
    """Check what a file says.

    Args:
        content: a mapping from keys to ranges or lists.
        where: begins every message.

    Raises:
        UserError: it is no such mapping; the message says which key and what it should look like.
    """
    example = "such as {optimizer.lr: {low: 0.0003, high: 0.01, log: true}, dropout: [0.1, 0.2]}"
    if not isinstance(content, Mapping) or not content:
        raise UserError(f"{where} should map keys to ranges or lists, {example}.")
    space = {}
    for key, domain in content.items():
        if key == "seed":
            raise UserError(f"{where}: a seed is not chosen by its validation value; leave 'seed' out.")
        if isinstance(domain, Mapping):
            space[str(key)] = _range(domain, f"{where}.{key}")
        elif isinstance(domain, list) and domain:
            space[str(key)] = _choice(domain, f"{where}.{key}")
        else:
            raise UserError(f"{where}.{key} should be a range or a list, {example}.")
    return space


def read_word(value: str) -> Range | Choice | None:
    """The right side of a word of the command line; ``None`` when it is a plain value.

    Raises:
        UserError: it begins as a range or a list and is none, or is a range by another name.
    """
    if match := re.fullmatch(r"(log|uniform|whole)\((.*)\)", value.strip()):
        kind = match[1]
        ends = [yaml.safe_load(part) for part in match[2].split(",")]
        if len(ends) != 2:
            raise UserError(f"{value}: a range has two ends, such as {kind}(1,10).")
        return _range(
            {"low": ends[0], "high": ends[1], "log": kind == "log", "whole": kind == "whole"}, where=value.strip()
        )
    if (other := re.fullmatch(r"(\w+)\(.*\)", value.strip())) and other[1] not in CASTS:
        raise UserError(
            f"{value.strip()} is not searched: a range is log(low,high), uniform(low,high) or whole(low,high), a list "
            f"[a,b,c].{nearest(other[1], ['log', 'uniform', 'whole'])}"
        )
    if value.startswith("[") and value.endswith("]"):
        try:
            values = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UserError(f"{value} is not a list: {error}") from error
        return _choice(values, value)
    return None


def _range(domain: Mapping[str, Any], where: str) -> Range:
    known = ["low", "high", "log", "whole"]
    for key in domain:
        if key not in known:
            raise UserError(f"{where} has no key {key!r}. Known: {', '.join(known)}.{nearest(str(key), known)}")
    ends = []
    for key in ("low", "high"):
        end = domain.get(key)
        # YAML 1.1 reads 3e-4, without a point, as a word; people mean the number.
        try:
            end = float(end) if isinstance(end, str) else end
        except ValueError:
            end = None
        if isinstance(end, bool) or not isinstance(end, int | float):
            raise UserError(f"{where}: {key!r} should be a number.")
        ends.append(end)
    low, high = ends
    log, whole = domain.get("log", False), domain.get("whole", False)
    if not low < high:
        raise UserError(f"{where}: from {low} to {high} is no range; 'low' should be less than 'high'.")
    if log and low <= 0:
        raise UserError(f"{where}: a log scale begins above 0, not at {low}.")
    if whole and not all(isinstance(end, int) for end in ends):
        raise UserError(f"{where}: whole numbers lie between whole numbers, not {low} and {high}.")
    return Range(low, high, bool(log), bool(whole))


def _choice(values: list[Any], where: str) -> Choice:
    if not values:
        raise UserError(f"{where}: the list is empty.")
    if bad := [value for value in values if not isinstance(value, str | int | float | bool | None)]:
        raise UserError(f"{where}: {bad[0]} is not a plain value.")
    if len(set(map(plain, values))) < len(values):
        raise UserError(f"{where}: a value stands there twice.")
    return Choice(tuple(values))
