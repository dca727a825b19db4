"""Which item a person means: a title, the source's own id, or a title without its year.

Shape legend: I items.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cached_property

import numpy as np

from research.data.histories import Histories
from research.errors import UserError

LEAST = 4
"""Letters of a word that is looked for inside of titles."""
_YEAR = re.compile(r"\s*\(\d{4}\)$")


class Names:
    """Titles and ids of a catalogue."""

    def __init__(self, histories: Histories, count_I: np.ndarray) -> None:
        """Take those of a dataset; of items of one title the one with the largest ``count_I`` is meant."""
        self.histories, self.count_I = histories, count_I
        self.notes: list[str] = []
        """What is to be said of the words that were looked up."""

    def items(self, words: Sequence[str]) -> np.ndarray:
        """Indices of items, from 1.

        Raises:
            UserError: there are no words, or one names no item, or several of different titles.
        """
        words = [word for word in words if word.strip()]
        if not words:
            raise UserError("This history is empty. Name items by title or id, with ; between them, the oldest first.")
        return np.array([self._item(word) for word in words], dtype=np.int64)

    def title(self, item: int) -> str | None:
        """Of an item, from 1; ``None`` where it has none."""
        titles = self.histories.titles
        return (str(titles[item - 1]).strip() or None) if titles is not None else None

    def _item(self, word: str) -> int:
        title = _tidy(word)
        if rows := self._by_title.get(title):
            return self._most_met(word, rows)
        if (row := self._by_id.get(word.strip())) is not None:
            return row + 1
        named = self._without_year.get(title, [])
        if len(named) == 1:
            return self._most_met(word, self._by_title[named[0]])
        if named:
            some = "; ".join(str(self.title(self._by_title[one][0] + 1)) for one in named[:5])
            raise UserError(f"{word.strip()!r} may be one of {len(named)} titles: {some}. Say which, with its year.")
        raise UserError(f"No item of {self.histories.name!r} is called {word.strip()!r}.{self._nearest(title)}")

    def _most_met(self, word: str, rows: list[int]) -> int:
        row = max(rows, key=lambda one: (self.count_I[one], -one))
        if len(rows) > 1:
            name = self.histories.item_ids[row]
            self.notes.append(f"{len(rows)} items are called {word.strip()!r}; taken is {name}, trained on most often.")
        return row + 1

    def _nearest(self, title: str) -> str:
        inside = [one for one in self._by_title if len(title) >= LEAST and title in one]
        near = inside or get_close_matches(title, [*self._by_title, *self._without_year], n=5)
        # A title may be near with its year and without it: it is named once, as it stands.
        rows = [self._by_title[self._without_year.get(one, [one])[0]][0] for one in near]
        names = [str(self.title(row + 1)) for row in dict.fromkeys(rows)][:3]
        some = names or get_close_matches(title, list(self._by_id), n=3)
        return f" Did you mean {' or '.join(map(repr, some))}?" if some else " Give a title, or the source's own id."

    @cached_property
    def _by_id(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.histories.item_ids.tolist())}

    @cached_property
    def _by_title(self) -> dict[str, list[int]]:
        """Rows of each title."""
        found: dict[str, list[int]] = defaultdict(list)
        titles = self.histories.titles
        for row, title in enumerate([] if titles is None else titles.tolist()):
            if tidy := _tidy(title):
                found[tidy].append(row)
        return dict(found)

    @cached_property
    def _without_year(self) -> dict[str, list[str]]:
        """Titles with their years, of each without."""
        found: dict[str, list[str]] = defaultdict(list)
        for title in self._by_title:
            if (short := _YEAR.sub("", title)) != title:
                found[short].append(title)
        return dict(found)


def _tidy(title: str) -> str:
    return " ".join(title.casefold().split())
