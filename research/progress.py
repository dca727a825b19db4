"""Progress bars with the time left, on stderr; plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from research.console import FIRST, announce, err

if TYPE_CHECKING:
    from research.data.download import Progress as DownloadProgress
    from research.studies.choice import Choice
    from research.studies.plan import Planned
    from research.studies.standing import Standing
    from research.studies.worker import Message
    from research.training.callbacks import Progress as TrainingProgress
    from research.training.callbacks import Report
    from research.tuning.arm import Tuning


def _bars(*, count: bool = False) -> Progress:
    columns = [TextColumn("{task.description}"), BarColumn(), *([MofNCompleteColumn()] if count else [])]
    return Progress(
        *columns,
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
        console=err,
        transient=True,
        disable=not (FIRST and err.is_terminal),
    )


@contextmanager
def download_bar() -> Iterator[DownloadProgress]:
    """A bar that appears when a download begins."""
    with _bars() as bars:
        tasks: dict[str, TaskID] = {}

        def tell(source: str, done: int, total: int | None) -> None:
            if source not in tasks:
                tasks[source] = bars.add_task(source, note="", total=total)
            bars.update(tasks[source], completed=done, total=total, note=f"{done / 1e6:.1f} MB")

        yield tell


@contextmanager
def encoding_bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar over texts or images that a pretrained model reads."""
    with _bars(count=True) as bars:
        task = bars.add_task(what, total=total, note="")
        yield lambda done: bars.update(task, completed=done)


def _standing(progress: TrainingProgress) -> str:
    best = f", best NDCG@10 {progress.best:.4f}" if progress.best is not None else ""
    return f"epoch {progress.epoch}{best}"


@contextmanager
def training_bar() -> Iterator[Report]:
    """A bar over the epochs of one run; early stopping may end it before its end."""
    with _bars() as bars:
        task = bars.add_task("training", total=None, note="preparing")

        def tell(progress: TrainingProgress) -> None:
            bars.update(task, completed=progress.done, total=progress.total, note=_standing(progress))

        yield tell


@contextmanager
def study_progress(
    standing: Standing, choice: Choice | None = None
) -> Iterator[Callable[[Planned | Tuning, Message], None]]:
    """A bar over the tunings and runs of a start and one for each under way; a line for each that ends."""
    from research.studies.choice import Choice
    from research.studies.plan import tunings

    ahead = [standing.runs[i] for i in standing.ahead(choice or Choice())]
    with _bars(count=True) as bars:
        total = sum(standing.done) + len(ahead) + len(tunings(ahead, ready=False))
        whole = bars.add_task("[bold]study", total=total, completed=sum(standing.done), note="")
        tasks: dict[int, TaskID] = {}
        ended = sum(standing.done)

        def tell(run: Planned | Tuning, message: Message) -> None:
            nonlocal ended
            if message.kind == "note":
                announce(message.content)
            elif message.kind == "progress":
                if message.index not in tasks:
                    tasks[message.index] = bars.add_task(run.title, total=message.content.total, note="")
                task = tasks[message.index]
                bars.update(task, completed=message.content.done, note=_standing(message.content))
            else:
                ended += 1
                if message.index in tasks:
                    bars.remove_task(tasks.pop(message.index))
                bars.update(whole, completed=ended)
                announce(f"[{ended}/{total}] {run.title}: {_result(message)}")

        yield tell


def _result(message: Message) -> str:
    if message.kind == "skipped":
        return str(message.content)
    if message.kind == "failed":
        return f"FAILED, {str(message.content).strip().splitlines()[-1]}"
    record = message.content
    if "chosen" in record:
        from research.tuning.space import words

        return f"{' '.join(words(record['chosen']))} (validation NDCG@10 {record['validation']:.4f})"
    test = record["test"]
    seconds = record["seconds"]["train"] + record["seconds"]["validation"] + record["seconds"]["test"]
    return f"NDCG@10 {test['ndcg@10']:.4f}, Recall@10 {test['recall@10']:.4f} ({seconds:.0f} s)"
