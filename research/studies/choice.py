"""What one start of a study does: all that is missing, one machine's share of it, some arms only, failed runs again.

--shard 2/3             arms 2, 5, 8, ... of the plan, each with its tuning and all its seeds
--only gated            an arm by its name in the table, or by its name under ``arms``
--only fusion=gated     arms with a value; several joined by a comma must all hold; also seed=1
--retry-failed          also the runs that failed, and tunings that chose nothing

A division depends on the plan alone, so n machines do each run once, in one directory of runs or in n that are copied
together afterwards. Words of several ``--only`` add up. The table is of the whole study in every case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from research.errors import UserError
from research.schema import nearest
from research.spelling import plain
from research.studies.axes import matches
from research.studies.plan import Planned
from research.studies.study import Study

_NAME, _SEED = "", "seed"


@dataclass(frozen=True)
class Choice:
    """Which runs a start may do.

    Attributes:
        shard: number of the share, from 1, and how many there are.
        only: entries of which a run fulfils one; none: every run.
        retry_failed: whether what failed is done again.
    """

    shard: tuple[int, int] = (1, 1)
    only: tuple[dict[str, list[str]], ...] = ()
    retry_failed: bool = False

    def takes(self, run: Planned) -> bool:
        """Whether a run belongs to this start, done or not."""
        number, count = self.shard
        said = {**run.arm, _SEED: str(run.config.seed), _NAME: run.label}
        return run.number % count == number - 1 and (not self.only or any(matches(said, each) for each in self.only))


def read_choice(
    study: Study, runs: Sequence[Planned], *, shard: str | None, only: Sequence[str], retry_failed: bool
) -> Choice:
    """Check the words of a command line against a plan.

    Raises:
        UserError: a share that there is not; an arm, an axis or a value that the study does not have.
    """
    entries = tuple(_entry(word, study, runs) for word in only)
    for word, entry in zip(only, entries, strict=True):
        if not any(Choice(only=(entry,)).takes(run) for run in runs):
            raise UserError(f"--only {word}: no arm of the study has that. Its arms: {'; '.join(_names(runs))}.")
    return Choice(_shard(shard) if shard else (1, 1), entries, retry_failed)


def _shard(word: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", word)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UserError(f"--shard {word}: should be I/N, the I-th of N shares, such as 1/3, 2/3 and 3/3.")
    return int(found[1]), int(found[2])


def _entry(word: str, study: Study, runs: Sequence[Planned]) -> dict[str, list[str]]:
    names = _names(runs)
    if word in names:
        return {_NAME: [word]}
    if axis := next((axis for axis, values in study.named.items() if word in values), None):
        return {axis: [word]}
    if "=" not in word:
        raise UserError(
            f"--only {word}: there is no such arm. Arms: {'; '.join(names)}. Or AXIS=VALUE with an axis of "
            f"{', '.join(study.all_axes)}.{nearest(word, names)}"
        )
    known = {**study.all_axes, _SEED: study.seeds}
    entry: dict[str, list[str]] = {}
    for part in word.split(","):
        key, _, value = (piece.strip() for piece in part.partition("="))
        if key not in known:
            raise UserError(
                f"--only {word}: there is no axis {key!r}. Axes: {', '.join(known)}.{nearest(key, list(known))}"
            )
        values = [plain(each) for each in known[key]]
        if value not in values:
            raise UserError(
                f"--only {word}: {key!r} has no value {value!r}. Its values: {', '.join(values)}."
                f"{nearest(value, values)}"
            )
        entry.setdefault(key, []).append(value)
    return entry


def _names(runs: Sequence[Planned]) -> list[str]:
    return list(dict.fromkeys(run.label for run in runs))
