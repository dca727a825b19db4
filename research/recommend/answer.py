"""What a recommendation says: the question as it was understood, the shares of both interests, the items."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Picked:
    """An item of the history: its id in the source, its title where it has one."""

    item: str
    title: str | None


@dataclass(frozen=True)
class Row:
    """A recommended item.

    Attributes:
        rank: from 1.
        item: its id in the source.
        title: ``None`` where it has none.
        score: of the model, comparable within one answer.
        new: whether it was added, so that the model never met it.
        trained: interactions with it that the model was trained on.
        long: share of the long-term interest in its score, where the fusion weighs every item for itself.
    """

    rank: int
    item: str
    title: str | None
    score: float
    new: bool
    trained: int
    long: float | None


@dataclass(frozen=True)
class Shares:
    """How much of the interest is long-term and how much short-term; they sum to 1."""

    long: float
    short: float


@dataclass(frozen=True)
class Answer:
    """Recommendations for one history.

    Attributes:
        run: label and seed of the model.
        user: who is asked for; ``None``: somebody that the data do not know.
        history: what is known, the oldest first.
        text: what was said as if it were the latest item.
        shares: ``None`` where the fusion states none, or another one for each item.
        rows: the recommended items, the best first.
        notes: what the reader should know.
    """

    run: str
    user: str | None
    history: list[Picked]
    text: str | None
    shares: Shares | None
    rows: list[Row]
    notes: list[str]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
