"""A confidence interval, and the check of its level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from research.errors import UserError


@dataclass(frozen=True)
class Interval:
    """From ``low`` to ``high``, made to cover the truth in a share ``level`` of repetitions."""

    low: float
    high: float
    level: float

    def covers(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def side(self) -> int:
        """1 when the whole interval is above zero, -1 when it is below, 0 when it covers or touches zero."""
        return int(self.low > 0) - int(self.high < 0)


class HasInterval(Protocol):
    """Anything that states an interval at any level."""

    def interval(self, level: float = 0.95) -> Interval: ...


def tail(level: float) -> float:
    """What an interval leaves out on each side: .025 for a level of .95.

    Raises:
        UserError: a level outside of (0, 1).
    """
    if not 0 < level < 1:
        raise UserError(f"The level of an interval lies between 0 and 1, such as 0.95; got {level}.")
    return (1 - level) / 2
