"""Which executor a command asks for: ``executor=ray executor.address=auto`` among its words.

These words are taken out of those that compose the runs. How a run is carried out changes none of its numbers, so it is
no part of what a run is.
"""

from __future__ import annotations

from collections.abc import Sequence

from research.config import compose
from research.errors import UserError
from research.schema import build
from research.studies.executors.base import Executor


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Words of the executor, and the others."""
    own = [word for word in words if word.lstrip("+~").partition("=")[0].partition(".")[0] == "executor"]
    return own, [word for word in words if word not in own]


def chosen_executor(words: Sequence[str], workers: int | None = None) -> Executor:
    """Build the executor.

    Args:
        words: those of the executor alone.
        workers: of ``--workers``, which is short for ``executor.workers=`` of the local one.

    Raises:
        UserError: a wrong word, an engine that is not there, or ``--workers`` for an executor without workers.
    """
    config = compose(list(words), "executor").executor
    if workers is not None:
        if "workers" not in config:
            said = next((word for word in words if word.startswith("executor=")), "this executor")
            raise UserError(f"--workers {workers} is for processes of this machine; {said} has its own settings.")
        if config.workers not in (None, workers):
            raise UserError(f"--workers {workers} and executor.workers={config.workers}: say one of them.")
        config = compose([*words, f"executor.workers={workers}"], "executor").executor
    return build(config, Executor)
