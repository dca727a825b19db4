"""What happens to rows that cannot be used, for every source that reads text: ``data.malformed``.

Such rows are counted over the whole file and the first few are named by their lines, wherever the blocks begin in
which the file is read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Literal

from research.errors import UserError

Malformed = Literal["error", "drop"]
"""An error that counts them, or a warning that does."""

_NAMED = 5


class Wrong:
    """The rows of a file that cannot be used, so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self._lines: list[int] = []

    def add(self, lines: Iterable[int]) -> None:
        """Rows that begin in these lines, from 1."""
        for line in lines:
            self.count += 1
            if len(self._lines) < _NAMED:
                self._lines.append(line)

    @property
    def few(self) -> str:
        """Where the first ones are: ``3, 5, 6, 7, 8, ...``."""
        return ", ".join(map(str, self._lines)) + (", ..." if self.count > _NAMED else "")

    @property
    def rows(self) -> str:
        """``7 malformed rows, lines 3, 5, 6, 7, 8, ...``."""
        s = "" if self.count == 1 else "s"
        return f"{self.count:,} malformed row{s}, line{s} {self.few}"

    @property
    def numbers(self) -> str:
        """``7 malformed rows, numbers 3, 5, 6, 7, 8, ...``, where a file has no lines."""
        return self.rows.replace(", line", ", number")

    @property
    def records(self) -> str:
        """``7 malformed lines (2, 3, 4, 5, 6, ...)``."""
        return f"{self.count:,} malformed line{'' if self.count == 1 else 's'} ({self.few})"

    def settle(self, malformed: Malformed, said: str, mend: str) -> None:
        """Say it once, when the file has been read: as an error with a mend, or as a warning.

        Raises:
            UserError: there are such rows, and they are not to be dropped.
        """
        if self.count and malformed == "error":
            raise UserError(f"{self.name}: {said}{mend}")
        if self.count:
            warnings.warn(f"{self.name}: {said}; dropped", stacklevel=3)
