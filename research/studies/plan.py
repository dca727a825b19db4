"""All runs of a study, and before them the tunings of its arms.

A tuned arm has no configuration until its tuning has ended: until then its runs stand with the arm's own words alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from research.config import canonical, compose
from research.errors import UserError
from research.studies.study import Study
from research.training.compatible import check_compatible
from research.training.names import cell, label
from research.tuning.arm import Tuning, in_record
from research.tuning.proposals import need_optuna
from research.tuning.space import Space, words


@dataclass(frozen=True)
class Planned:
    """One run of a study: a cell with a seed.

    Attributes:
        config: of the run; before its arm is tuned, without the chosen values.
        overrides: words that compose it.
        arm: the study's axes and their values.
        label: of the arm, for people.
        tuning: of the arm, where it has one.
        tuned: what the record says of it; ``None`` until it has ended well.
        number: of the arm, from 0.
    """

    config: DictConfig
    overrides: list[str]
    arm: dict[str, str]
    label: str
    tuning: Tuning | None = None
    tuned: dict[str, Any] | None = None
    number: int = 0

    @property
    def ready(self) -> bool:
        """Whether the run knows its values."""
        return self.tuning is None or self.tuned is not None

    @property
    def title(self) -> str:
        """The run for people."""
        return f"{self.label}, seed {self.config.seed}"


@dataclass(frozen=True)
class _Arm:
    """One point of the grid, or a row without training."""

    own: list[str]
    axes: dict[str, str]
    space: Space = field(default_factory=dict)


def plan(study: Study, overrides: list[str]) -> list[Planned]:
    """All runs of a study, seeds outermost, so that a table can be read after the first seed.

    Arms that are the same run under two names (a control that ignores an axis) appear once.

    Args:
        study: what to run.
        overrides: further overrides of every run, such as ``paths.runs=...``.

    Raises:
        UserError: an arm does not compose or makes no sense, or says what the tuning chooses.
    """
    composed: list[tuple[list[str], dict[str, str], DictConfig, Tuning | None]] = []
    seen: set[tuple[str, ...]] = set()
    if study.tune:
        need_optuna()
    for arm in _arms(study):
        said = [*study.set, *arm.own, *overrides]
        config = compose(said)
        check_compatible(config)
        if config.trainer.devices > 1 and study.tune:
            raise UserError(
                f"trainer.devices={config.trainer.devices}: the trials of a tuning use one device each. Tune on one "
                "device, then name the values in a study without 'tune'."
            )
        axes = _read_axes(arm.axes, config)
        tuning = _tuning(study, arm, said, axes, config)
        # Two arms that are alike as they stand may still differ in what a dial reaches.
        same = tuple(cell(each) for each in (config, *(tuning.corners if tuning else ())))
        if same not in seen:
            seen.add(same)
            composed.append((said, axes, config, tuning))
    runs = []
    for seed in study.seeds:
        for number, (said, axes, config, tuning) in enumerate(composed):
            # What does not train is deterministic, a row or an arm: the first seed stands for all.
            if seed == study.seeds[0] or not config.get("baseline"):
                name = ", ".join(axes.values()) or label(config)
                runs.append(Planned(_seeded(config, seed), [*said, f"seed={seed}"], axes, name, tuning, number=number))
    return runs


def settled(runs: list[Planned]) -> list[Planned]:
    """The runs with the values that finished tunings chose; equal runs of two arms appear once.

    Raises:
        UserError: a tuning's result cannot be read.
    """
    known: dict[str, tuple[dict[str, Any], list[str], DictConfig]] = {}
    for tuning in tunings(runs):
        if (result := tuning.read()) and result["chosen"] is not None:
            chosen = words(result["chosen"])
            known[tuning.stem] = in_record(result), chosen, compose([*tuning.overrides, *chosen])
    kept: dict[tuple[str, int], Planned] = {}
    for number, run in enumerate(runs):
        if run.tuning and run.tuning.stem in known and not run.tuned:
            tuned, chosen, config = known[run.tuning.stem]
            config = _seeded(config, run.config.seed)
            run = replace(run, config=config, overrides=[*run.overrides, *chosen], tuned=tuned)
        kept.setdefault((cell(run.config) if run.ready else f"untuned {number}", run.config.seed), run)
    return list(kept.values())


def _seeded(config: DictConfig, seed: int) -> DictConfig:
    """The same run with another seed, on which no other value depends."""
    copy = config.copy()
    OmegaConf.set_readonly(copy, False)
    copy.seed = seed
    OmegaConf.set_readonly(copy, True)
    return copy


def tunings(runs: list[Planned], *, ready: bool | None = None) -> list[Tuning]:
    """Each arm's tuning, once; of the runs that know their values, or do not, where ``ready`` says so."""
    found = [run for run in runs if ready is None or run.ready == ready]
    return list({run.tuning.stem: run.tuning for run in found if run.tuning}.values())


def _arms(study: Study) -> list[_Arm]:
    spaces = study.tune.baselines if study.tune else {}
    if unknown := [name for name in spaces if name not in study.baselines]:
        raise UserError(
            f"tune.baselines names {unknown[0]!r}, which is no row of the study. "
            f"Its 'baselines': {', '.join(study.baselines) or 'none'}."
        )
    arms = [
        _Arm([*words, f"baseline={name}"], {}, spaces.get(name, {}))
        for words in study.protocols
        for name in study.baselines
    ]
    for point in study.points:
        own = [word for key, value in point.items() for word in study.words(key, value)]
        arms.append(_Arm(own, point, study.tune.space if study.tune else {}))
    return arms


def _tuning(study: Study, arm: _Arm, said: list[str], axes: dict[str, str], config: DictConfig) -> Tuning | None:
    if study.tune is None or not arm.space:
        return None
    for word in said:
        if (key := word.partition("=")[0]) in arm.space:
            raise UserError(f"{word}: the tuning chooses {key!r} (tune.space); leave it out of 'set', axes and arms.")
    directory = Path(config.paths.runs) / study.name / "tuning"
    return Tuning(tuple(said), arm.space, study.tune.budget, directory, axes, ", ".join(axes.values()))


def _read_axes(arm: dict[str, str], config: DictConfig) -> dict[str, str]:
    """The axes that decide an arm's numbers: a control without a short branch has no short encoder to name."""
    unread = {"long", "short", "window"} - set(canonical(config))
    return {key: value for key, value in arm.items() if key.split("@")[-1].split(".")[0] not in unread}
