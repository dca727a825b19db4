"""The first phase of a study that tunes: each order is one arm's whole tuning, arms side by side.

A trial whose process dies (out of memory, most often) is noted as failed here, where somebody is left to note it, and
its arm goes on with the next trial.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from research.studies.executors.base import Executor
from research.studies.worker import Message, TuneOrder
from research.tuning.arm import Tuning


def run_tunings(
    tunings: Sequence[Tuning], executor: Executor, tell: Callable[[Tuning, Message], None], *, again: bool = False
) -> int:
    """Do every trial that is missing.

    Args:
        tunings: arms whose result is missing.
        executor: who carries them out.
        tell: hears every message.
        again: whether a tuning that chose nothing is done again.

    Returns:
        How many arms have no trial that ended well.
    """
    failed, waiting = 0, list(range(len(tunings)))
    while waiting:
        orders, waiting = [TuneOrder(index, tunings[index], again) for index in waiting], []
        for message in executor.execute(orders, tunings[0].directory.parent):
            if message.died:
                from research.tuning.tune import note_death

                line = note_death(tunings[message.index], str(message.content))
                waiting.append(message.index)
                message = replace(message, kind="note", content=line)
            failed += message.kind == "failed"
            tell(tunings[message.index], message)
    return failed
