"""A language model that stays as it is, held once however many encoders read through it.

It belongs to none of them: nothing of it is optimised, averaged, or stored with a run, whose configuration names it.

Shape legend: B texts, T tokens, E numbers of a state.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from research.items.language_model import LanguageModel


class Frozen:
    """Without dropout and without gradients."""

    def __init__(self, directory: Path) -> None:
        """Load it.

        Raises:
            UserError: it cannot be read.
        """
        self.language = LanguageModel(directory, "mean").eval().requires_grad_(False)

    @property
    def width(self) -> int:
        """Numbers of a state."""
        return int(self.language.model.config.hidden_size)

    def states(self, token_BT: Tensor, real_BT: Tensor) -> Tensor:
        """``(B, T, E)`` states of right-padded tokens, on their device."""
        with torch.no_grad():
            return self.language.to(token_BT.device).states(token_BT, real_BT)

    def __deepcopy__(self, memo: dict[int, Any]) -> Frozen:
        return self


@lru_cache(maxsize=2)
def frozen(directory: Path, digest: str) -> Frozen:
    """The model of a directory, loaded when it is first asked for.

    Args:
        directory: of the model.
        digest: of its files: other weights in the same place are another model.

    Raises:
        UserError: it cannot be read.
    """
    return Frozen(directory)
