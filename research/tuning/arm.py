"""The tuning of one arm: all its trials, one after the other, and the values that they chose.

<directory>/<arm>-<hash>.log     the trials that have ended, while the tuning goes on and behind it
<directory>/<arm>-<hash>.json    the result, written when all trials have ended

The hash is of what decides the trials: the arm's configuration, the space and the budget. A killed tuning continues
behind its last ended trial, and proposes what it would have proposed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from research.config import canonical, compose, identity
from research.data.atomic import write_whole
from research.errors import UserError
from research.training.compatible import check_compatible
from research.training.names import label as label_of
from research.training.seeds import derive
from research.tuning.budget import Budget
from research.tuning.space import Choice, Space, words, written


@dataclass(frozen=True)
class Tuning:
    """What is to be tuned.

    Attributes:
        overrides: words of the arm, without a seed.
        space: what is chosen.
        budget: how.
        directory: where journal and result lie.
        arm: the study's axes and their values.
        name: of the arm, for people; made from the configuration when empty.
    """

    overrides: tuple[str, ...]
    space: Space
    budget: Budget
    directory: Path
    arm: Mapping[str, str]
    name: str = ""

    @property
    def run_seed(self) -> int:
        """The seed of every trial's run: the same for all arms, and none that a study would name."""
        return derive(self.budget.seed, "trials") % 2**31

    def config(self, values: Mapping[str, Any]) -> DictConfig:
        """The configuration of a trial.

        Raises:
            UserError: a key or a value that a configuration does not have, or parts that do not go together.
        """
        config = compose([*self.overrides, *words(values), f"seed={self.run_seed}"])
        check_compatible(config)
        return config

    @cached_property
    def corners(self) -> tuple[DictConfig, DictConfig]:
        """The configurations at the first and the last values of the space, once every name between them is known.

        Raises:
            UserError: as ``config``, and of any listed word that is no option or value.
        """
        first, last = ({key: domain.ends[end] for key, domain in self.space.items()} for end in (0, 1))
        found = self.config(first), self.config(last)
        for key, domain in self.space.items():
            # A misspelt option among others would else cost a trial; between two good numbers are good numbers.
            named = domain.values[1:-1] if isinstance(domain, Choice) else ()
            for value in (value for value in named if isinstance(value, str)):
                compose([*self.overrides, *words({**first, key: value})])
        return found

    def check_reach(self) -> None:
        """See that the space reaches the arm, so that trials are not one run many times.

        Raises:
            UserError: no value of it changes a number.
        """
        first, last = self.corners
        several = any(domain.ends[0] != domain.ends[1] for domain in self.space.values())
        if several and identity(first) == identity(last):
            raise UserError(
                f"{', '.join(self.space)}: nothing in {self.label} depends on what would be searched. "
                "Name keys of its own in words, such as baseline.l2=log(1,1000) for baseline=ease."
            )

    @cached_property
    def identity(self) -> str:
        """SHA-256 of what decides the trials."""
        arm = canonical(self.corners[0])
        arm.pop("seed", None)
        content = {"arm": arm, "space": written(self.space), "budget": vars(self.budget)}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def label(self) -> str:
        """The arm for people."""
        return self.name or label_of(self.corners[0])

    @property
    def title(self) -> str:
        """What is under way, for people."""
        return f"{self.label}, tuning"

    @property
    def stem(self) -> str:
        """Name of the files, without ending."""
        return f"{re.sub(r'[^a-z0-9]+', '-', self.label.lower())}-{self.identity[:10]}"

    @property
    def journal(self) -> Path:
        return self.directory / f"{self.stem}.log"

    @property
    def result(self) -> Path:
        return self.directory / f"{self.stem}.json"

    def read(self) -> dict[str, Any] | None:
        """The result, ``None`` while trials are missing.

        Raises:
            UserError: the file is damaged.
        """
        if not self.result.is_file():
            return None
        try:
            return json.loads(self.result.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{self.result} is damaged ({error}). Delete it to have it written again.") from error

    @property
    def chosen(self) -> dict[str, Any] | None:
        """The values of the best trial; ``None`` while trials are missing, or when none ended well."""
        result = self.read()
        return result["chosen"] if result else None

    def write(self, tried: list[dict[str, Any]]) -> dict[str, Any]:
        """Choose among the trials that ran to their end, the highest validation value, the earliest of equals."""
        complete = [trial for trial in tried if trial["state"] == "complete"]
        best = max(complete, key=lambda trial: trial["validation"], default=None)
        reasons = dict.fromkeys(trial["reason"] for trial in tried if trial["reason"])
        result = {
            "schema": 1,
            "identity": self.identity,
            "label": self.label,
            "arm": dict(self.arm),
            "kind": "baseline" if self.corners[0].get("baseline") else "model",
            "status": "finished" if best else "failed",
            "reason": None if best else f"No trial of the tuning ended well: {'; '.join(reasons) or 'all were pruned'}",
            **vars(self.budget),
            "run_seed": self.run_seed,
            "space": written(self.space),
            "pruned": sum(trial["state"] == "pruned" for trial in tried),
            "failed": sum(trial["state"] == "failed" for trial in tried),
            "seconds": sum(trial["seconds"] for trial in tried),
            "chosen": best["values"] if best else None,
            "chosen_trial": best["number"] if best else None,
            "validation": best["validation"] if best else None,
            "tried": tried,
        }
        content = json.dumps(result, indent=1, sort_keys=True) + "\n"
        write_whole(self.result, content.encode())
        return json.loads(content)  # as it will be read again, to the order of the keys


def in_record(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a run's record says of the tuning that chose its values: all but the single trials."""
    left_out = ("schema", "label", "arm", "kind", "status", "reason", "tried")
    return {key: value for key, value in result.items() if key not in left_out}
