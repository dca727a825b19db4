"""The framework, timed the way a person runs it: ``research.training.run`` with callbacks, checkpoints and record.

An epoch's time is the distance between the ends of two epochs, less the validation in between and what others did in
their turns. So whatever Lightning, the callbacks and the checkpoints do between epochs counts. The first epoch is the
warm-up.

Run alone: ``python -m scripts.bench.ours beauty-s3 --model transformer --max-length 50``
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.bench.turns import Turn

if TYPE_CHECKING:
    from research.training.callbacks import Progress

LONG = ["encoder@long=transformer", "long.heads=2"]
MODELS = {
    "transformer": [*LONG, "fusion=long_only"],
    "gru": ["encoder@long=gru", "fusion=long_only"],
    "bert4rec": ["encoder@long=bert4rec", "long.heads=2", "objective=masked_item", "fusion=long_only"],
    "fusion": [*LONG, "encoder@short=gru", "window=last_k", "window.k=10", "fusion=gated"],
}
"""What each model is to the framework; sizes that are not named are its defaults and those of the reference."""


class Clock:
    """When each epoch ended, from the outside: a listener for the progress of a run."""

    def __init__(self, max_epochs: int, turn: Turn) -> None:
        self.max_epochs, self.turn = max_epochs, turn
        self.ends: dict[int, float] = {}

    def __call__(self, progress: Progress) -> None:
        epoch, rest = divmod(progress.done, progress.total // self.max_epochs)
        if rest == 0:
            # The last step is told before validation, the end of the epoch behind it: the later one stays.
            self.ends[epoch] = self.turn.now()
        self.turn.reached(progress.done / progress.total * self.max_epochs)

    def seconds(self, validation: list[float]) -> list[float]:
        """Seconds of each epoch behind the first, without its validation.

        Args:
            validation: seconds of validation of each epoch, the first one's too.
        """
        return [self.ends[e] - self.ends[e - 1] - validation[e - 1] for e in sorted(self.ends) if e - 1 in self.ends]


class FirstStepError(Exception):
    """A run was started only to see when its first step ends."""


def overrides(model: str, source: str, max_length: int, runs: Path, epochs: int) -> list[str]:
    """The words of the run: one epoch of warm-up and ``epochs`` timed ones."""
    return [
        f"data={source}",
        *MODELS[model],
        "width=64",
        "dropout=0.2",
        "batch_size=128",
        f"max_length={max_length}",
        f"trainer.max_epochs={1 + epochs}",
        "logger=none",
        f"paths.runs={runs}",
    ]


def measure(words: list[str], turn: Turn) -> dict[str, Any]:
    """Run it and say how long what took.

    Args:
        words: overrides of a run with at least two epochs.
        turn: of this process.
    """
    import pyarrow.parquet as pq

    from research.config import compose
    from research.training.callbacks import Reporter
    from research.training.run import run

    Reporter.pause = 0.0  # told of every fifth step only, it would take fewer turns, and be ahead of the others
    config = compose(words)
    clock = Clock(config.trainer.max_epochs, turn)
    record, directory = run(config, report=clock)
    curves = pq.read_table(directory / "curves.parquet").to_pydict()
    environment = record["environment"]
    return {
        "epoch_s": clock.seconds(curves["seconds_validation"]),
        "whole_epoch": True,
        "loss": curves["train_loss"][-1],
        "eval_users_per_s": record["protocol"]["users"] / record["seconds"]["test"],
        "hr@10": record["test"]["recall@10"],
        "peak_rss_bytes": record["peak_memory_bytes"],
        "parameters": record["parameters"],
        "versions": {name: environment[name] for name in ("torch", "numpy", "lightning")},
        "threads": environment["threads"],
    }


def first_step(words: list[str]) -> dict[str, Any]:
    """Start the run, stop it behind its first step; returns the time of day then, in seconds since 1970."""
    from research.config import compose
    from research.training.lean_imports import import_lightning

    import_lightning()  # as `research train` does
    from research.training.run import run

    at: list[float] = []

    def stop(progress: Progress) -> None:
        at.append(time.time())
        raise FirstStepError

    try:
        run(compose(words), report=stop)
    except FirstStepError:
        return {"at": at[0]}
    raise RuntimeError("The run ended without a first step.")


def main() -> None:
    """Measure and write one JSON object to stdout."""
    parser = argparse.ArgumentParser(description="The framework, timed.")
    parser.add_argument("source", help="dataset, as in data=NAME")
    parser.add_argument("--model", choices=sorted(MODELS), default="transformer")
    parser.add_argument("--max-length", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=1, help="timed epochs, behind one of warm-up")
    parser.add_argument("--first-step", action="store_true", help="only say when the first step has ended")
    parser.add_argument("--words", nargs="*", default=[], help="further overrides")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        words = [*overrides(a.model, a.source, a.max_length, Path(folder), a.epochs), *a.words]
        result = first_step(words) if a.first_step else measure(words, Turn())
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
