"""Recommendations of a trained run: for a user of its data, for a typed history, for a text, for items it never met.

Nothing is trained. Items of a file and the text of a question stand behind the catalogue, where the weights that were
learned of titles and categories read them as they read any other item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from research.ensembles.trained import TrainedRun
from research.errors import UserError
from research.recommend.answer import Answer, Picked, Row
from research.recommend.asked import Asked
from research.recommend.items_file import read_items
from research.recommend.names import Names
from research.recommend.new_items import NewItem, with_items
from research.recommend.scorer import Scorer
from research.recommend.scores import scorer_of


class Recommender:
    """A trained run that answers questions.

    recommender = Recommender(Path("runs/single/CELL/seed-1"), items=Path("new.csv"))
    recommender.for_user("42", top=5).rows[0].title
    recommender.for_history(["Toy Story (1995)", "Heat (1995)"]).shares
    recommender.for_user("42", text="quiet science fiction about memory")
    """

    def __init__(self, directory: Path, items: Path | None = None) -> None:
        """Read a run, its data, and a file of new items.

        Args:
            directory: ``runs/STUDY/CELL/seed-N``.
            items: items that join the catalogue; see `research.recommend.items_file`.

        Raises:
            UserError: there is no finished run, its data have changed, or the file cannot be used.
        """
        self.run = TrainedRun(directory)
        data, self.split = self.run.load()
        self.new: list[NewItem] = []
        self.notes: list[str] = []
        if items is not None:
            read = read_items(items, data.item_features, data.item_ids.tolist())
            self.new, self.notes = read.items, read.notes
        self.histories = with_items(data, self.new)
        self.count_I = self.split.train.count(self.histories)

    def for_user(
        self, user: str, *, text: str | None = None, top: int = 10, seen: bool = False, after: int = 0
    ) -> Answer:
        """For a user of the data after all that is known of them, validation and test items too.

        Args:
            user: by the source's own id.
            text: read as the latest thing that they picked.
            top: how many items.
            seen: whether items of the history may be among them.
            after: seconds from the latest interaction to the moment for which is asked; parts that read times heed it.

        Raises:
            UserError: there is no such user, or the run reads no text.
        """
        asked = replace(Asked.of_user(self.histories, user), after=after)
        return self._answer(asked, text, top, seen, [])

    def for_history(
        self, history: Sequence[str], *, text: str | None = None, top: int = 10, seen: bool = False, after: int = 0
    ) -> Answer:
        """For items that somebody picked; arguments as for `for_user`.

        Args:
            history: titles or ids of the source, the oldest first.
            text: as for `for_user`.
            top: likewise.
            seen: likewise.
            after: likewise.

        Raises:
            UserError: an item is unknown, the run reads no text, or it answers its own users only.
        """
        names = Names(self.histories, self.count_I)
        asked = replace(Asked.of_items(self.histories, names.items(history)), after=after)
        return self._answer(asked, text, top, seen, names.notes)

    def for_text(self, text: str, *, top: int = 10, seen: bool = False, after: int = 0) -> Answer:
        """For somebody of whom nothing is known but these words; arguments and errors as for `for_history`."""
        asked = replace(Asked.of_items(self.histories, np.zeros(0, dtype=np.int64)), after=after)
        return self._answer(asked, text, top, seen, [])

    def _answer(self, asked: Asked, text: str | None, top: int, seen: bool, notes: list[str]) -> Answer:
        if top < 1:
            raise UserError(f"top={top}: at least 1 item is recommended.")
        if asked.after < 0:
            raise UserError(f"after={asked.after}: seconds that have passed, so 0 or more.")
        scores = self._plain if text is None else self._reading(text)
        question = asked if text is None else asked.then(self.histories, self.histories.n_items + 1)
        scored = scores(question)
        offered_I = np.ones(self.histories.n_items, dtype=bool)  # the text stands behind them, never offered
        if self.new:
            offered_I[-len(self.new) :] = scores.known_A[: len(self.new)]
        if not seen:
            offered_I[asked.items - 1] = False
        row_K = np.flatnonzero(offered_I)
        row_K = row_K[np.argsort(-scored.score_I[row_K], kind="stable")]
        names, ids = Names(self.histories, self.count_I), self.histories.item_ids
        first_new = self.histories.n_items - len(self.new)
        return Answer(
            run=self.run.name,
            user=None if asked.user is None else str(self.histories.user_ids[asked.user]),
            history=[Picked(str(ids[item - 1]), names.title(item)) for item in asked.items.tolist()],
            text=text,
            shares=scored.shares,
            rows=[
                Row(
                    rank=rank,
                    item=str(ids[row]),
                    title=names.title(row + 1),
                    score=float(scored.score_I[row]),
                    new=row >= first_new,
                    trained=int(self.count_I[row]),
                    long=None if scored.long_I is None else float(scored.long_I[row]),
                )
                for rank, row in enumerate(row_K[:top].tolist(), 1)
            ],
            notes=[*self.notes, *notes, *self._notes(scores, question), *self._best_new(row_K, top)],
        )

    def _best_new(self, row_K: np.ndarray, top: int) -> list[str]:
        """Where the first new item stands, when that is not among the top."""
        place_A = np.flatnonzero(row_K >= self.histories.n_items - len(self.new))
        if not len(place_A) or place_A[0] < top:
            return []
        row = int(row_K[place_A[0]])
        name = Names(self.histories, self.count_I).title(row + 1) or self.histories.item_ids[row]
        return [f"The best of the new items is {name}, at rank {place_A[0] + 1:,} of {len(row_K):,}."]

    @cached_property
    def _plain(self) -> Scorer:
        """With the new items and without a text."""
        scores = scorer_of(self.run, self.histories, self.split, len(self.new))
        self._check_new(scores)
        return scores

    def _reading(self, text: str) -> Scorer:
        """With the text as one more item at the end."""
        if not text.strip():
            raise UserError("The text is empty. Say what is looked for, in words as of a title.")
        # No source has an id like this, so no file of vectors or pictures has one for it.
        longer = with_items(self.histories, [NewItem("(text of a question)", " ".join(text.split()))])
        scores = scorer_of(self.run, longer, self.split, len(self.new) + 1)
        self._check_new(scores)
        if not scores.known_A[-1] and not scores.history_as_text:
            raise UserError(
                f"{self.run.directory} reads no titles, so a text says nothing to it. Train a run whose items are read "
                "as text: items=text_ids."
            )
        return scores

    def _check_new(self, scores: Scorer) -> None:
        if not self.new or scores.known_A[: len(self.new)].any():
            return
        if not scores.reads_content:
            raise UserError(
                f"{self.run.directory}: to it an item is an id, and an id that training never met says nothing. Train "
                "with items=text_ids, which reads titles too."
            )
        raise UserError(
            f"{self.run.directory}: the new items have nothing that this run reads. Give them a title, or the features "
            f"that it was trained with (of the data: {', '.join(self.histories.item_features) or 'none'})."
        )

    def _notes(self, scores: Scorer, asked: Asked) -> list[str]:
        notes = []
        if unread := len(self.new) - int(scores.known_A[: len(self.new)].sum()):
            notes.append(f"{unread:,} of {len(self.new):,} new items have nothing that this run reads: not offered.")
        if scores.reads_times:
            typed = "what is typed has none: a minute apart, the latest at the last moment of the data"
            when = "asked in the moment of the latest interaction (--after 3d: later, where one of these heeds it)"
            said = [typed] * (asked.user is None) + [when] * (asked.after == 0)
            if said:
                notes.append(f"This run reads times ({', '.join(scores.reads_times)}): {'; '.join(said)}.")
        elif asked.after:
            notes.append("This run reads no times, so when it is asked changes nothing.")
        if asked.user is None and scores.columns:
            notes.append(f"This run reads {', '.join(scores.columns)}, which is unknown of what is typed.")
        return notes
