"""Paired tests of a study's arms, from their ranks: the table's arms against the baseline arm, and the claims.

Each comparison is judged as a claim is (``statistics/verdict.py``): sign flips over users and t over seeds and users,
the larger p, corrected over all comparisons that are handed in together, and an interval at the level of its own test.

A user is one pair, however many of the user's items were held out (``statistics/pairs.py``).

Shape legend: N test queries of one run, U users of a comparison, C comparisons.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from research.metrics.ranking import metric
from research.reports.records import Run, StudyRecords
from research.reports.remembered import Remembered
from research.reports.scores import Selection
from research.statistics.claims import Claim

if TYPE_CHECKING:
    from research.statistics.pairs import Pair
    from research.statistics.verdict import Verdict

ALPHA = 0.05

DRAWS = 10_000


@dataclass(frozen=True)
class Asked:
    """One comparison to make; ``select`` picks the queries that count, all when None."""

    claim: Claim
    better: tuple[Run, ...]
    worse: tuple[Run, ...]
    select: Selection | None = None


def runs_of(records: StudyRecords) -> dict[str, tuple[Run, ...]]:
    """Cell -> its finished runs."""
    cells: dict[str, tuple[Run, ...]] = {}
    for run in records.finished:
        cells[run.cell] = (*cells.get(run.cell, ()), run)
    return cells


def pair_of(asked: Asked) -> Pair | None:
    """The values of both arms, users aligned; None where they do not rank the same users, or fewer than two."""
    from research.statistics.pairs import Pair

    first, second = (_values(runs, asked) for runs in (asked.better, asked.worse))
    if not first or not second or len(np.unique(first[0][0])) < 2:
        return None
    users = [np.sort(user_N) for user_N, _ in (*first, *second)]
    if not all(np.array_equal(users[0], others) for others in users[1:]):
        return None
    return Pair.of_runs(
        first,
        second,
        first_deterministic=asked.better[0].kind != "model",
        second_deterministic=asked.worse[0].kind != "model",
    )


def judged(records: StudyRecords, asked: Sequence[Asked]) -> list[Verdict | None]:
    """The verdicts on one family, in order; None for a comparison that cannot be made.

    What cannot be made counts as a test without a finding, so that the correction is the same before and after the
    last run of a study has ended.
    """
    if not asked:
        return []
    from research.statistics.family import correction
    from research.statistics.verdict import evidence, judge_all

    pairs = {number: pair for number, each in enumerate(asked) if (pair := pair_of(each)) is not None}
    # The smallest p must be able to survive the correction.
    draws = max(DRAWS, int(np.ceil(2 * len(asked) / ALPHA)))
    p_users = _sign_flips(records, {number: pair.difference_U for number, pair in pairs.items()}, draws)
    found = [evidence(pair, p_users=p_users[number]) for number, pair in pairs.items()]
    claims, others = [asked[number].claim for number in pairs], [1.0] * (len(asked) - len(pairs))
    verdicts = judge_all(claims, found, others=others, alpha=ALPHA, correct=correction(records.family))
    of_number = dict(zip(pairs, verdicts, strict=True))
    return [of_number.get(number) for number in range(len(asked))]


def _sign_flips(records: StudyRecords, difference_U: dict[int, np.ndarray], draws: int) -> dict[int, float]:
    """p of each comparison; those over equally many users at once."""
    from research.statistics.permutation import sign_flip_tests

    remembered = Remembered(records.directory)
    found: dict[int, float] = {}
    for users in sorted({len(each) for each in difference_U.values()}):
        numbers = [number for number, each in difference_U.items() if len(each) == users]
        keys = {number: remembered.key(difference_U[number], draws) for number in numbers}
        found |= {number: p for number, key in keys.items() if (p := remembered.find(key)) is not None}
        left = [number for number in numbers if number not in found]
        if left:
            with remembered.work():
                tests = sign_flip_tests(np.stack([difference_U[number] for number in left], axis=1), draws=draws)
            for number, one in zip(left, tests, strict=True):
                remembered.learn(keys[number], one.p)
                found[number] = one.p
    remembered.keep()
    return found


def _values(runs: Iterable[Run], asked: Asked) -> list[tuple[np.ndarray, np.ndarray]]:
    """``(user_N, value_N)`` of each run."""
    values = []
    for run in runs:
        ranks = run.ranks
        assert ranks is not None
        chosen = slice(None) if asked.select is None else asked.select(ranks)
        value_N = metric(asked.claim.metric, ranks.better_N[chosen], ranks.ties_N[chosen])
        values.append((ranks.user_N[chosen], value_N))
    return values
