"""A history as one text: what is said first, then as many of the newest titles as there is room for.

    [CLS] Just now: toy story; heat; [SEP]

Titles are cut into tokens once and put together by number. Each begins with a space and ends with a semicolon, so these
are the tokens that the whole text would have. Where room is short, whole titles are left out from the oldest on; only a
newest title that is too long alone loses its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from research.errors import UserError
from research.items.language_model import Words

Newest = Literal["last", "first"]
"""Where the newest title stands."""
PROBE = "a"
"""A text that shows which tokens a tokenizer puts around every text."""


class Prompts:
    """From items to tokens."""

    def __init__(self, words: Words, prompt: str, titles: Sequence[str], newest: Newest) -> None:
        """Cut everything into tokens.

        Args:
            words: the tokenizer, with its limit.
            prompt: said first, or nothing.
            titles: one an item, from item 1 on; an empty one says nothing.
            newest: where the newest title stands.

        Raises:
            UserError: what is said first leaves no room for a title.
        """
        cut, self.newest, self.padding = words.tokenizer, newest, words.padding
        plain, whole = ([*cut(PROBE, add_special_tokens=special)["input_ids"]] for special in (False, True))
        first = next(i for i in range(len(whole)) if whole[i : i + len(plain)] == plain)
        self.after = whole[first + len(plain) :]
        self.before = whole[:first] + self._pieces(words, [prompt])[0]
        self.room = words.max_tokens - len(self.before) - len(self.after)
        if self.room < 1:
            raise UserError(f"max_tokens={words.max_tokens} leaves no room for a title behind prompt={prompt!r}.")
        pieces = self._pieces(words, [f" {title};" if title else "" for title in titles])
        self.piece = [[], *pieces, []]  # padding, the items, and the item that hides another
        self.titled = [bool(one) for one in self.piece]

    def of(self, items: Sequence[int]) -> list[int]:
        """Tokens of these items, given in time order; an item without a title is passed over."""
        kept: list[list[int]] = []
        room = self.room
        for item in reversed(items):
            piece = self.piece[item]
            if len(piece) > room and not kept:
                piece = piece[:room]
            if len(piece) > room:
                break
            if piece:
                kept.append(piece)
            room -= len(piece)
            if not room:
                break
        if self.newest == "last":
            kept.reverse()
        return [*self.before, *(token for piece in kept for token in piece), *self.after] or [self.padding]

    @staticmethod
    def _pieces(words: Words, texts: list[str]) -> list[list[int]]:
        return words.tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
