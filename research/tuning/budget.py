"""What a study file says below ``tune:``. Every arm gets the same budget; only rows without training differ in space.

tune:
  trials: 6                # of every arm; failed and pruned ones count
  sampler: tpe             # or random, grid
  seed: 1                  # of the sampler and, through a stream of its own, of the trials' runs
  prune: median            # or null
  space: {optimizer.lr: {low: 0.0003, high: 0.01, log: true}, dropout: [0.1, 0.2, 0.3, 0.5]}
  baselines: {ease: {baseline.l2: {low: 1, high: 5000, log: true}}}   # rows not named here are not tuned
  metric: ndcg@10          # on the validation items
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from research.errors import UserError
from research.schema import nearest
from research.tuning.space import Choice, Range, Space, read_space, written

SAMPLERS = ("tpe", "random", "grid")
METRIC = "ndcg@10"
"""What validation measures, and what an epoch is chosen by."""


@dataclass(frozen=True)
class Budget:
    """How an arm is tuned.

    Attributes:
        trials: runs that are trained and validated; each counts, however it ends.
        sampler: how Optuna proposes: ``tpe``, ``random`` or ``grid``.
        seed: of the proposals and of the trials' runs; the study's own seeds are apart from it.
        prune: ``median`` ends a trial that is below the median of the earlier ones, ``None`` none.
        metric: on the validation items.
    """

    trials: int
    sampler: str = "tpe"
    seed: int = 0
    prune: str | None = None
    metric: str = METRIC

    def __post_init__(self) -> None:
        for name, least in (("trials", 1), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise UserError(f"tune.{name}={value}: a whole number, at least {least}.")
        if self.sampler not in SAMPLERS:
            known = list(SAMPLERS)
            hint = nearest(str(self.sampler), known)
            raise UserError(f"tune.sampler={self.sampler}: one of {', '.join(known)}.{hint}")
        if self.prune not in ("median", None):
            raise UserError(f"tune.prune={self.prune}: median, or null for none.")
        if self.metric != METRIC:
            raise UserError(f"tune.metric={self.metric}: validation measures {METRIC}, by which epochs are chosen too.")

    @property
    def startup(self) -> int:
        """Trials before the sampler and the pruner look at earlier ones: a third, at least 2."""
        return max(2, self.trials // 3)

    def check(self, space: Space, where: str) -> None:
        """See that the sampler can search the space.

        Raises:
            UserError: a grid over a range, or one with fewer points than trials.
        """
        if self.sampler != "grid":
            return
        for key, domain in space.items():
            if isinstance(domain, Range):
                raise UserError(f"{where}.{key}: a grid needs a list of values, not a range.")
        points = math.prod(len(domain.values) for domain in space.values() if isinstance(domain, Choice))
        if points < self.trials:
            raise UserError(f"{where}: the grid has {points} points, fewer than tune.trials={self.trials}.")


@dataclass(frozen=True)
class Tune:
    """The budget, and the space of the arms and of each row without training that has one."""

    budget: Budget
    space: Space
    baselines: Mapping[str, Space] = field(default_factory=dict)

    def written(self) -> dict[str, Any]:
        """As a file says it."""
        own = {key: written(space) for key, space in self.baselines.items()}
        return {**vars(self.budget), "space": written(self.space)} | ({"baselines": own} if own else {})

    @property
    def keys(self) -> list[str]:
        """Every key that is chosen."""
        return [*self.space, *(key for space in self.baselines.values() for key in space)]


def read_tune(content: object, where: str) -> Tune:
    """Check a ``tune:`` section.

    Args:
        content: as YAML gave it.
        where: begins every message.

    Raises:
        UserError: an unknown key, a missing or malformed value.
    """
    if not isinstance(content, Mapping):
        raise UserError(f"{where}: 'tune' should be a mapping with trials and space.")
    known = [f.name for f in fields(Budget)]
    for key in content:
        if key not in (*known, "space", "baselines"):
            names = [*known, "space", "baselines"]
            raise UserError(f"{where}: 'tune' has no key {key!r}. Known: {', '.join(names)}.{nearest(str(key), names)}")
    for key in ("trials", "space"):
        if key not in content:
            raise UserError(f"{where}: 'tune' needs {key!r}.")
    budget = Budget(**{key: content[key] for key in known if key in content})
    space = read_space(content["space"], f"{where}: tune.space")
    baselines = content.get("baselines") or {}
    if not isinstance(baselines, Mapping):
        raise UserError(f"{where}: 'tune.baselines' should map a baseline to its space.")
    own = {str(name): read_space(inner, f"{where}: tune.baselines.{name}") for name, inner in baselines.items()}
    budget.check(space, f"{where}: tune.space")
    for name, inner in own.items():
        budget.check(inner, f"{where}: tune.baselines.{name}")
    return Tune(budget, space, own)
