"""What a trained model can be asked: items that it never met, histories of nobody it knows, times that nobody said.

Shape legend: I items, U rows of the catalogue.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from research.encoders.base import Encoder
from research.fusion.base import Fusion
from research.items.base import ItemTable
from research.items.categories import Categories
from research.items.combined import Combined
from research.items.encoded import Encoded
from research.items.ids import Ids
from research.items.random import Random
from research.model import InterestModel
from research.scoring.base import ScoredItems
from research.training.compatible import name_of


def content_parts(items: ItemTable) -> list[ItemTable]:
    """The parts of a table that may say something of an item that nobody has met."""
    tables = [part for part in items.modules() if isinstance(part, ItemTable)]
    return [part for part in tables if not isinstance(part, Ids | Random | Combined | ScoredItems)]


def draws_vectors(items: ItemTable) -> bool:
    """Whether a part has fixed random vectors, which another catalogue would draw anew."""
    return any(isinstance(part, Random) for part in items.modules())


def rows_known(items: ItemTable, row_U: Tensor) -> Tensor:
    """``(U,)`` whether some part has content of these rows; a learned vector of what is missing is no content."""
    known_U = torch.zeros_like(row_U, dtype=torch.bool)
    for part in content_parts(items):
        if isinstance(part, Encoded):
            known_U |= part.known_I[row_U]
        elif isinstance(part, Categories):
            known_U |= (part.code_IL[row_U] > 0).any(dim=1)
        else:
            own_U = part.known(row_U)
            known_U |= torch.ones_like(known_U) if own_U is None else own_U
    return known_U


def parts_with_times(model: InterestModel) -> list[str]:
    """The window, encoders and fusion that read times, as a configuration calls them."""
    parts = [part for part in model.modules() if isinstance(part, Encoder | Fusion)]
    return list(dict.fromkeys(name_of(type(part)) for part in (model.window, *parts) if part and part.needs_times))


def parts_with_users(model: InterestModel, n_users: int) -> list[str]:
    """Names of encoders and fusions with as many vectors as there are users, for a message."""
    parts = {"encoder@long": model.long, "encoder@short": model.short, "fusion": model.fusion}
    return [
        f"{name}={name_of(type(part))}"
        for name, part in parts.items()
        if part is not None
        and any(isinstance(one, nn.Embedding) and one.num_embeddings == n_users for one in part.modules())
    ]
