"""Numbers as the field prints them: ``.1234``, ``.1234 ± .0012``, a dash for what is not known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from research.reports.summary import Value

if TYPE_CHECKING:
    from research.statistics.interval import Interval

DASH = "–"
MINUS = "−"
DAGGER = "†"
DOUBLE_DAGGER = "‡"


def score(value: float | None, places: int = 4) -> str:
    """``.1234`` without the leading zero, ``1.0000`` with its one, a true minus sign."""
    if value is None or math.isnan(value):
        return DASH
    text = f"{abs(value):.{places}f}"
    text = text[1:] if text.startswith("0.") else text
    return (MINUS if value < 0 and float(f"{value:.{places}f}") != 0 else "") + text


def spread(value: Value | None, places: int = 4) -> str:
    """``± .0012``, or nothing where there is no std."""
    if value is None or value.std is None or math.isnan(value.std):
        return ""
    return f"± {score(value.std, places)}"


def signed(value: float, places: int = 4) -> str:
    """``+.0123``, ``−.0123``, ``.0000``."""
    text = score(value, places)
    return f"+{text}" if float(f"{value:.{places}f}") > 0 else text


def interval(value: Interval) -> str:
    """``−.0012 to +.0123``."""
    return f"{signed(value.low)} to {signed(value.high)}"


def p_value(p: float) -> str:
    """``.0123``, ``<.0001``."""
    return "<.0001" if p < 0.0001 else score(p)


def amount(value: float | None) -> str:
    """A count or a time: whole with thousands separated, one digit behind the point below ten."""
    if value is None or math.isnan(value):
        return DASH
    whole = value == round(value) or abs(value) >= 10
    return f"{value:,.0f}" if whole else f"{value:.1f}"


def metric_name(name: str) -> str:
    """``ndcg@10`` as the field writes it: ``NDCG@10``."""
    kind, _, cutoff = name.partition("@")
    spelt = kind.upper() if kind.lower() in ("ndcg", "mrr", "hr", "map", "f1") else kind.capitalize()
    return f"{spelt}@{cutoff}" if cutoff else spelt
