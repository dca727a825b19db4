"""A claim of a study file, such as ``gated > weighted on ndcg@10``, read and checked against the study's arms.

An arm is named by its label, in which spaces, slashes, dots, dashes, even `` > `` and `` on `` may occur: the claim is
cut where both sides are arms of the study, and the metric is what follows the last `` on ``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from research.errors import UserError
from research.metrics.ranking import parse

FORM = "`ARM > ARM on METRIC`, for example `gated > weighted on ndcg@10`"


@dataclass(frozen=True)
class Claim:
    """``better`` is said to have the higher ``metric``; ``text`` is the claim as it was written."""

    better: str
    worse: str
    metric: str
    text: str


def parse_claim(text: str, arms: Sequence[str]) -> Claim:
    """Read one claim.

    Args:
        text: ``A > B on METRIC``, or ``B < A on METRIC``.
        arms: labels of the study's arms.

    Raises:
        UserError: another form, an arm that the study does not have, an unknown metric, an arm against itself, or
            labels that allow two readings.
    """
    plain = " ".join(text.split())
    sides, on, metric = plain.rpartition(" on ")
    cuts = [(sides[: m.start()].strip(), m.group(), sides[m.end() :].strip()) for m in re.finditer("[<>]", sides)]
    if not on or " " in metric or not cuts:
        raise UserError(f"Claim {text!r} is not of the form {FORM}.")
    try:
        parse(metric)
    except UserError as error:
        raise UserError(f"Claim {text!r}: {error}") from error
    known = {" ".join(arm.split()): arm for arm in arms}
    readings = [cut for cut in cuts if cut[0] in known and cut[2] in known]
    if not readings:
        raise UserError(f"Claim {text!r}: {_unknown(cuts, known)}")
    if len(readings) > 1:
        raise UserError(f"Claim {text!r} can be read in two ways. Rename an arm whose label holds '<' or '>'.")
    left, sign, right = readings[0]
    if left == right:
        raise UserError(f"Claim {text!r} compares {left!r} with itself.")
    better, worse = (left, right) if sign == ">" else (right, left)
    return Claim(better=known[better], worse=known[worse], metric=metric.lower(), text=plain)


def _unknown(cuts: Sequence[tuple[str, str, str]], known: dict[str, str]) -> str:
    """Which side is no arm, at the cut where most is known, and what was perhaps meant."""
    left, _, right = max(cuts, key=lambda cut: (cut[0] in known) + (cut[2] in known))
    wrong = left if left not in known else right
    if not wrong:
        return f"a side is empty. The form is {FORM}."
    near = get_close_matches(wrong, list(known), n=1)
    hint = f" Did you mean {known[near[0]]!r}?" if near else ""
    return f"the study has no arm {wrong!r}. Arms: {', '.join(known.values())}.{hint}"
