"""One thing that was looked at, and what was found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """The answer to one question about the instrument.

    Attributes:
        name: what was asked.
        passed: ``None`` where the question makes no sense for these data; ``found`` says why.
        found: numbers, or the first thing that is wrong.
        where: the module that answers for it.
        mend: what to do when it fails.
    """

    name: str
    passed: bool | None
    found: str
    where: str = ""
    mend: str = ""

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def sentence(self) -> str:
        """What is wrong, where, and how to mend it."""
        return f"{self.name}: {self.found} ({self.where}). {self.mend}".strip()


def failed(checks: Iterable[Check]) -> list[Check]:
    """Those that say no."""
    return [check for check in checks if check.passed is False]
