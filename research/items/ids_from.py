"""Ids whose learned vectors begin at those of a text, a file or an image instead of at random.

LLMSeqSim and LLM2BERT4Rec (Harte et al., RecSys 2023): the vectors of a language model are brought to the width of the
run by principal components and then trained as any id table. Here they also get its spread, so that the comparison with
random initial values is one of directions. An item without a vector begins at random.

Shape legend: I items, D width.
"""

from __future__ import annotations

from typing import Any

import torch
from omegaconf import OmegaConf

from research.errors import UserError
from research.items.content import Content
from research.items.encoded import Encoded
from research.items.ids import Ids
from research.schema import build
from research.sizes import Sizes


class IdsFrom(Ids):
    """An id table that begins at given vectors."""

    def __init__(
        self,
        sizes: Sizes,
        content: Content | None = None,
        *,
        std: float = 0.02,
        sparse: bool = False,
        start: dict[str, Any] | None = None,
    ) -> None:
        """Make the table.

        Args:
            sizes: of the run.
            content: of the items.
            std: standard deviation of the initial values, given or random.
            sparse: as for ids.
            start: the part whose vectors it begins at, reduced to the width of the run.

        Raises:
            UserError: there is no such part, or its vectors have another width.
        """
        super().__init__(sizes, content, std=std, sparse=sparse)
        node = OmegaConf.create(start or {})
        if "_target_" not in node:
            raise UserError("These ids begin at the vectors of a part, and none is named. Use items=ids_from_text.")
        if content is None:
            return
        given = build(node, Encoded, sizes, content)  # type: ignore[type-abstract]
        if given.x_IE.shape[1] != sizes.width:
            raise UserError(
                f"items.start gives vectors of {given.x_IE.shape[1]} numbers, and width={sizes.width}. "
                "Use items.start.reduce=pca items.start.components=${width}."
            )
        with torch.no_grad():
            row = given.known_I.nonzero().squeeze(1)
            start_KD = given.x_IE[row]
            self.table.weight[row + 1] = start_KD * (std / start_KD.square().mean().sqrt().clamp(min=1e-12))
