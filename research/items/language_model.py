"""A language model that turns a text into one vector: the mean of its tokens, the first, or the last.

Shape legend: B texts, T tokens, E numbers of a state.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from research.errors import UserError
from research.items.pretrained_model import loaded

Pooling = Literal["mean", "cls", "last"]
VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
"""A tokenizer has one of these."""


class LanguageModel(nn.Module):
    """Tokens in, vectors out."""

    def __init__(self, directory: Path, pooling: Pooling) -> None:
        """Load it.

        Args:
            directory: of a model with safetensors.
            pooling: ``mean`` over tokens, ``cls`` for the first (BERT), ``last`` for the last (causal models).

        Raises:
            UserError: it cannot be read.
        """
        from transformers import AutoModel
        from transformers.utils import logging

        super().__init__()
        bars = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # of loading; encoding has its own
        try:
            # Weights that a model lacks are drawn; whether it lacks some must not move what the run draws next.
            with torch.random.fork_rng():
                model: Any = loaded(directory, AutoModel, "a model", use_safetensors=True, dtype=torch.float32)
        finally:
            if bars:
                logging.enable_progress_bar()
        if model.config.is_encoder_decoder:
            model = model.get_encoder()
        if getattr(model, "pooler", None) is not None:
            model.pooler = None  # of another task, and not read
        if hasattr(model.config, "use_cache"):
            model.config.use_cache = False
        self.model = model
        self.pooling: Pooling = pooling

    def forward(self, token_BT: Tensor, real_BT: Tensor) -> Tensor:
        """``(B, E)`` of right-padded tokens and where they are real; each text has at least one."""
        return pooled(self.states(token_BT, real_BT), real_BT, self.pooling)

    def states(self, token_BT: Tensor, real_BT: Tensor) -> Tensor:
        """``(B, T, E)`` of the same; those behind a text's end are arbitrary."""
        return self.model(input_ids=token_BT, attention_mask=real_BT.long()).last_hidden_state


def pooled(h_BTE: Tensor, real_BT: Tensor, pooling: Pooling) -> Tensor:
    """``(B, E)``: one of the states of each text, or the mean of those that are real."""
    if pooling == "mean":
        real_BT1 = real_BT.to(h_BTE.dtype)[:, :, None]
        return (h_BTE * real_BT1).sum(dim=1) / real_BT1.sum(dim=1)
    at_B = torch.zeros_like(real_BT[:, 0], dtype=torch.long) if pooling == "cls" else real_BT.long().sum(dim=1) - 1
    return h_BTE[torch.arange(len(h_BTE), device=h_BTE.device), at_B]


class Words:
    """A tokenizer with a limit."""

    def __init__(self, directory: Path, max_tokens: int) -> None:
        """Load it.

        Args:
            directory: of the model.
            max_tokens: of a text; what lies behind is cut off.

        Raises:
            UserError: it cannot be read, or the model reads fewer tokens.
        """
        from transformers import AutoConfig, AutoTokenizer

        config = loaded(directory, AutoConfig, "a configuration")
        most = getattr(config, "max_position_embeddings", None) or max_tokens
        if not 3 <= max_tokens <= most:
            raise UserError(f"max_tokens={max_tokens}: at least 3, and {directory.name} reads at most {most}.")
        if not any(path for name in VOCABULARIES for path in directory.glob(name)):
            # transformers would make an empty one, to which every word is unknown.
            raise UserError(f"{directory} has no tokenizer: none of {', '.join(VOCABULARIES)}.")
        self.tokenizer = loaded(directory, AutoTokenizer, "a tokenizer")
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token or self.tokenizer.unk_token
        self.max_tokens = max_tokens

    def of(self, texts: Sequence[str]) -> list[list[int]]:
        """Token numbers of each text, unpadded."""
        found = self.tokenizer(list(texts), truncation=True, max_length=self.max_tokens)["input_ids"]
        # A tokenizer without special tokens may find none in a text of unknown signs.
        return [one or [self.padding] for one in found]

    @property
    def padding(self) -> int:
        """The number behind the end of a text."""
        return int(self.tokenizer.pad_token_id or 0)


def padded(tokens: Sequence[Sequence[int]], padding: int) -> tuple[Tensor, Tensor]:
    """``(B, T)`` right-padded token numbers, and where they are real."""
    length_B = torch.tensor([len(one) for one in tokens])
    longest = int(length_B.max())
    token_BT = torch.tensor([[*one, *[padding] * (longest - len(one))] for one in tokens])
    return token_BT, torch.arange(longest) < length_B[:, None]
