"""The trials of an arm that have ended, in a file that Optuna reads too (``JournalStorage``).

A trial is one line, written when it has ended. A trial that was killed has left nothing, so it is run again.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from research.tuning.proposals import need_optuna

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

NAME = "trials"
"""Of the study inside the file."""


class Journal:
    """Reads and appends ended trials."""

    def __init__(self, path: Path) -> None:
        """Open ``path``, which need not exist.

        Raises:
            UserError: Optuna is not installed.
        """
        need_optuna()
        import optuna
        from optuna.storages.journal import JournalFileBackend

        _drop_broken_line(path)
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
        self._study = optuna.create_study(storage=storage, study_name=NAME, direction="maximize", load_if_exists=True)

    def trials(self) -> list[FrozenTrial]:
        """All ended trials, in order."""
        return self._study.get_trials(deepcopy=False)

    def add(self, trial: FrozenTrial) -> None:
        """Append a trial; nothing when one with its number is there already, which is the same trial."""
        if trial.number == len(self.trials()):
            self._study.add_trial(trial)


def count(path: Path) -> int:
    """How many trials have ended; 0 without a file."""
    return len(Journal(path).trials()) if path.is_file() else 0


def _drop_broken_line(path: Path) -> None:
    """A process that dies while it writes leaves a line without an end; what comes behind it could not be read."""
    if path.is_file() and (content := path.read_bytes()) and not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)
