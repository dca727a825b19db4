"""What is measured, in which order, and which promises the numbers are held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OURS = ("reference", "framework")
MODELS = ("transformer", "gru", "bert4rec")


@dataclass(frozen=True)
class Job:
    """One measurement, a process of its own.

    Attributes:
        side: ``framework``, ``reference``, a peer's name, ``peaks`` or ``startup``.
        model: as ``ours.MODELS`` names it, or nothing.
        data: as ``datasets.DATASETS`` names it, or nothing.
        malloc: whether the allocator is told to keep freed memory, as the framework and the reference tell it
            themselves; a peer as installed does not.
    """

    side: str
    model: str = ""
    data: str = ""
    malloc: bool = False

    @property
    def name(self) -> str:
        """Such as ``rectools-transformer-beauty-malloc``."""
        return "-".join(part for part in (self.side, self.model, self.data, "malloc" * self.malloc) if part)


Group = tuple[Job, ...]
"""Jobs that are compared closely: their processes work in turn (``turns.py``)."""

PEER_JOBS = (
    *(Job("rectools", "transformer", data, malloc) for data in ("beauty", "ml-1m") for malloc in (False, True)),
    *(Job("replay-rec", "transformer", data, malloc) for data in ("beauty", "ml-1m") for malloc in (False, True)),
    Job("rectools", "bert4rec", "beauty"),
    Job("recbole", "gru", "beauty"),
    Job("recbole", "gru", "ml-1m"),
    Job("recbole", "transformer", "beauty"),
    Job("recbole", "transformer", "ml-1m"),
)


def pair_of(number: int, model: str, data: str) -> Group:
    """The two sides of a ratio; they change places every round."""
    pair = tuple(Job(side, model, data) for side in OURS)
    return pair if number % 2 == 0 else pair[::-1]


def round_of(number: int, data: str, models: tuple[str, ...] = MODELS) -> list[Group]:
    """A round on one dataset: framework and reference with every model, and a fusion beside its long-only arm."""
    fusion = (Job("framework", "fusion", data),)
    return [pair_of(number, model, data) + (fusion if model == "transformer" else ()) for model in models]


def everything(rounds: int, peer_rounds: int, peers: tuple[str, ...]) -> list[tuple[Group, int]]:
    """All jobs of the full benchmark with the number of their round, in order."""
    order: list[tuple[Group, int]] = [((Job("peaks"),), 0)]
    for number in range(max(rounds, peer_rounds)):
        if number < rounds:
            order.append(((Job("startup"),), number))
            order += [(group, number) for data in ("beauty", "ml-1m") for group in round_of(number, data)]
        if number < peer_rounds:
            order += [((job,), number) for job in PEER_JOBS if job.side in peers]
    return order


@dataclass(frozen=True)
class Promise:
    """A ratio of medians and its bound: ``over`` by ``under``, for one metric.

    Attributes:
        title: what a reader is told.
        over: numerator.
        under: denominator.
        metric: key of a result; of a list the median.
        bound: the promise.
        at_most: whether the ratio must not exceed the bound; else it must reach it.
    """

    title: str
    over: Job
    under: Job
    metric: Literal["epoch_s", "eval_users_per_s", "peak_rss_bytes"]
    bound: float
    at_most: bool


def promises() -> list[Promise]:
    """What the README and the release notes claim about speed."""
    found = []
    for data, rectools, replay in (("beauty", 30.0, 15.0), ("ml-1m", 8.0, 5.0)):
        ours = Job("framework", "transformer", data)
        for model in MODELS:
            jobs = Job("framework", model, data), Job("reference", model, data)
            found.append(Promise(f"{model} epoch by plain PyTorch's", *jobs, "epoch_s", 1.10, True))
        fusion = Job("framework", "fusion", data)
        found.append(Promise("fusion epoch by long_only's", fusion, ours, "epoch_s", 1.8, True))
        for peer, bound in (("rectools", rectools), ("replay-rec", replay)):
            theirs = Job(peer, "transformer", data)
            found.append(Promise(f"{peer} transformer epoch by ours", theirs, ours, "epoch_s", bound, False))
        theirs = Job("rectools", "transformer", data)
        found.append(Promise("users/s ranked, by rectools'", ours, theirs, "eval_users_per_s", 4.0, False))
        found += [
            Promise(f"peak memory by {job.side}'s, {job.model}", Job("framework", job.model, data), job, *_MEMORY)
            for job in PEER_JOBS
            if job.data == data and not job.malloc
        ]
    masked = Job("rectools", "bert4rec", "beauty"), Job("framework", "bert4rec", "beauty")
    found.append(Promise("rectools bert4rec epoch by ours", *masked, "epoch_s", 30.0, False))
    gru = Job("recbole", "gru", "ml-1m"), Job("framework", "gru", "ml-1m")
    found.append(Promise("recbole gru epoch by ours", *gru, "epoch_s", 200.0, False))
    return found


_MEMORY: tuple[Literal["peak_rss_bytes"], float, bool] = ("peak_rss_bytes", 1.0, True)
STARTUP = {"help_s": ("research --help", 0.5), "import_s": ("import of one encoder", 2.0)} | {
    "first_step_s": ("start of a run to its first step", 5.0)
}
"""Seconds that a person waits at most."""
