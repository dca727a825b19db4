"""An item is several things at once: its id, its text, its categories, its picture.

    items=text_ids items.combine=gate items.dropout=0.2 items.parts.text.adaptor=moe
    items=text_ids +items@items.parts.categories=categories

While training, each part of an item may be hidden with a probability (modality dropout), never all of them: a model
that must do without ids now and then can do without them for an item that nobody has met.

Shape legend: U rows of the catalogue, P parts, D width.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from research.errors import UserError
from research.items.base import ItemTable
from research.items.combine import COMBINE
from research.items.content import Content
from research.items.part import Part
from research.schema import build
from research.sizes import Sizes


class Combined(Part):
    """Parts of a table, and how their vectors become one."""

    def __init__(
        self,
        sizes: Sizes,
        content: Content | None = None,
        *,
        parts: dict[str, Any] | None = None,
        combine: Literal["sum", "concat", "gate", "attention"] = "sum",
        dropout: float = 0.0,
        std: float = 0.02,
    ) -> None:
        """Build the parts, in the order of the configuration.

        Args:
            sizes: of the run.
            content: of the items.
            parts: by name, each with a ``_target_``; one that is null is left out.
            combine: ``sum``, ``concat``, ``gate`` or ``attention``.
            dropout: probability that a part of an item is hidden in a step.
            std: standard deviation of the initial vector that hides an item.

        Raises:
            UserError: fewer than two parts, one that does not fit, or a probability outside of 0 to 1.
        """
        super().__init__(sizes, std=std)
        nodes = {name: DictConfig(node) for name, node in (parts or {}).items() if node is not None}
        if len(nodes) < 2:
            have = ", ".join(nodes) or "none"
            raise UserError(f"Two parts or more are combined; items.parts has {have}. Use items=text_ids, or one part.")
        if not 0 <= dropout < 1:
            raise UserError(f"items.dropout={dropout}: a probability from 0 to below 1.")
        tables: dict[str, nn.Module] = {}
        for name, node in nodes.items():
            table = tables[name] = build(node, ItemTable, sizes, content)
            if table.sparse:
                raise UserError(f"items.parts.{name}.sparse=true: a combined table has dense gradients. Say false.")
            if isinstance(table, Part):
                table.without_mask()
        self.parts = nn.ModuleDict(tables)
        self.combine = COMBINE[combine](len(tables), sizes.width)
        self.dropout = dropout

    def rows(self, row_U: Tensor) -> Tensor:
        v_UPD = torch.stack([part.candidates_of(row_U) for part in self._tables()], dim=1)
        known_UP = self._shown(self._knowledge(row_U))
        return self.combine(v_UPD * known_UP[:, :, None], known_UP)

    def candidates(self) -> Tensor:
        v_IPD = torch.stack([part.candidates() for part in self._tables()], dim=1)
        known_IP = self._shown(self._knowledge(torch.arange(self.n_items, device=self.here.device)))
        return self.combine(v_IPD * known_IP[:, :, None], known_IP)

    def known(self, row_U: Tensor) -> Tensor | None:
        return self._knowledge(row_U).any(dim=1)

    def _tables(self) -> list[ItemTable]:
        return [part for part in self.parts.values() if isinstance(part, ItemTable)]

    def _knowledge(self, row_U: Tensor) -> Tensor:
        """``(U, P)`` which parts know which items."""
        all_U = torch.ones_like(row_U, dtype=torch.bool)
        each = [part.known(row_U) for part in self._tables()]
        return torch.stack([all_U if one is None else one for one in each], dim=1)

    def _shown(self, known_UP: Tensor) -> Tensor:
        """Without those that are hidden in this step; an item keeps all when none would be left."""
        if not self.training or not self.dropout:
            return known_UP
        left_UP = known_UP & (torch.rand(known_UP.shape, device=known_UP.device) >= self.dropout)
        return torch.where(left_UP.any(dim=1, keepdim=True), left_UP, known_UP)
