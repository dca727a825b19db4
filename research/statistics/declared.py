"""The claims that a study declares, checked before anything runs, and how their family is corrected.

claims: [gated > weighted on ndcg@10, gated > ease on recall@10]
family: holm                             # or benjamini_hochberg

An arm is named as its row in the table: by its axes' values in their order, ``transformer, gated``, without those that
its fusion does not read; a row without training by its name. The claims are one family. The comparisons of all arms
with the baseline arm, which a table marks, are another, corrected the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

from research.errors import UserError
from research.spelling import plain
from research.statistics.claims import Claim, parse_claim
from research.statistics.family import correction

UNREAD = ("long", "short", "window")
"""Axes of a branch that some fusion does not read; the row's name is then without their values."""


def read_claims(content: Mapping[str, Any], arms: Sequence[str], where: str) -> list[Claim]:
    """``claims`` and ``family`` of a study's content.

    Args:
        content: of a study file, or of the ``study.yaml`` beside its runs.
        arms: names that a claim may hold.
        where: the file, for messages.

    Raises:
        UserError: no list of texts, a claim that cannot be read, one that stands twice or contradicts another, an
            unknown correction.
    """
    texts = content.get("claims") or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise UserError(f"{where}: 'claims' should be a list of texts, such as [gated > weighted on ndcg@10].")
    try:
        correction(content.get("family", "holm"))
    except UserError as error:
        raise UserError(f"{where}: 'family': {error}") from error
    claims: dict[tuple[frozenset[str], str], Claim] = {}
    for text in texts:
        try:
            claim = parse_claim(text, arms)
        except UserError as error:
            raise UserError(f"{where}: {error}") from error
        other = claims.setdefault((frozenset((claim.better, claim.worse)), claim.metric), claim)
        if other is not claim:
            raise UserError(f"{where}: claims {other.text!r} and {claim.text!r} are one test. Keep one of the two.")
    return list(claims.values())


def possible_names(axes: Mapping[str, Sequence[Any]], baselines: Iterable[str] = ()) -> list[str]:
    """Names that the rows of a study may have: what a fusion reads is known only when its arm is composed."""
    optional = [axis for axis in axes if axis.split("@")[-1].split(".")[0] in UNREAD]
    names: dict[str, None] = {}
    for left_out in (chosen for n in range(len(optional) + 1) for chosen in combinations(optional, n)):
        kept = [[plain(value) for value in values] for axis, values in axes.items() if axis not in left_out]
        names |= dict.fromkeys(", ".join(point) for point in product(*kept) if point)
    return [*names, *(plain(name) for name in baselines)]
