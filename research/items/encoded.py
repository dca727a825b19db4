"""Parts whose vectors were made before training and stay as they are: reduced, brought to one length, adapted.

    vectors of a model, a file or chance --reduce--> --mean length 1--> x_IE --adaptor, which learns--> (I, D)

Shape legend: I items, U rows, E numbers of a given vector, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from research.errors import UserError
from research.items import adaptors, reduction
from research.items.content import Content
from research.items.part import Part
from research.sizes import Sizes

EXAMPLES = 1024
"""Items whose adapted vectors settle the scale of the adaptor."""
Missing = Literal["zero", "learned"]


@dataclass(frozen=True)
class Given:
    """Vectors as they came.

    Attributes:
        vectors_IE: float32; anything where there is none.
        known_I: which items have one.
        fit_I: which of these may be looked at when something is fitted: those that training met.
    """

    vectors_IE: np.ndarray
    known_I: np.ndarray
    fit_I: np.ndarray

    @classmethod
    def of(cls, vectors_IE: np.ndarray, known_I: np.ndarray, content: Content) -> Given:
        """With what training met; where it met none that has a vector, all of them.

        Raises:
            UserError: no item has a vector, or one that is not finite.
        """
        if not known_I.any():
            raise UserError(f"No item of {content.name!r} has a vector.")
        if not np.isfinite(vectors_IE[known_I]).all():
            raise UserError(f"Vectors of items of {content.name!r} are not finite.")
        fit_I = known_I & content.seen_I
        return cls(vectors_IE, known_I, fit_I if fit_I.any() else known_I)

    @classmethod
    def nothing(cls, sizes: Sizes, width: int) -> Given:
        """Of the right shape, where only sizes are known."""
        all_I = np.ones(sizes.n_items, dtype=bool)
        return cls(np.zeros((sizes.n_items, width), dtype=np.float32), all_I, all_I)

    def reduced(self, kind: reduction.Kind, components: int | None) -> np.ndarray:
        """``(I, K)`` of mean squared length 1, zeros where there is none."""
        x_IE = reduction.reduced(self.vectors_IE, self.fit_I, kind, components)
        x_IE[~self.known_I] = 0
        length = float(np.sqrt(np.square(x_IE[self.fit_I], dtype=np.float64).sum(axis=1).mean()))
        return x_IE / np.float32(length) if length > 0 else x_IE


class Encoded(Part):
    """Vectors that stay as they are, behind an adaptor that learns."""

    x_IE: Tensor
    known_I: Tensor

    def __init__(
        self,
        sizes: Sizes,
        given: Given,
        *,
        reduce: reduction.Kind,
        components: int | None,
        adaptor: adaptors.Kind,
        missing: Missing,
        std: float,
    ) -> None:
        super().__init__(sizes, std=std)
        x_IE = torch.from_numpy(given.reduced(reduce, components))
        # Made from the data and the configuration: no part of a checkpoint, which fits a longer catalogue too.
        self.register_buffer("x_IE", x_IE, persistent=False)
        self.register_buffer("known_I", torch.from_numpy(given.known_I.copy()), persistent=False)
        self.adaptor = adaptors.adaptor(adaptor, x_IE[torch.from_numpy(given.fit_I)][:EXAMPLES], sizes.width, std)
        self.missing_D = nn.Parameter(torch.randn(sizes.width) * std) if missing == "learned" else None

    def rows(self, row_U: Tensor) -> Tensor:
        return self._adapted(self.x_IE[row_U], self.known_I[row_U])

    def candidates(self) -> Tensor:
        return self._adapted(self.x_IE, self.known_I)  # without a copy of all of them

    def _adapted(self, x_UE: Tensor, known_U: Tensor) -> Tensor:
        y_UD = self.adaptor(x_UE)
        other_UD = torch.zeros_like(y_UD) if self.missing_D is None else self.missing_D.to(y_UD).expand_as(y_UD)
        return torch.where(known_U[:, None], y_UD, other_UD)

    def known(self, row_U: Tensor) -> Tensor | None:
        return self.known_I[row_U] if self.missing_D is None else None
