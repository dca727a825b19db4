"""A language model that learns changes of low rank to its linear layers and nothing else (Hu et al., ICLR 2022)."""

from __future__ import annotations

import importlib.util
from typing import Any

from research.errors import UserError
from research.items.language_model import LanguageModel


def with_lora(language: LanguageModel, rank: int, node: str = "") -> LanguageModel:
    """The same model, changed in place: what it was stays fixed, the changes learn from zero.

    Args:
        language: the model.
        rank: of the changes.
        node: where the settings stand, for messages, such as ``items.``.

    Raises:
        UserError: the rank is below 1, or peft is not installed.
    """
    if importlib.util.find_spec("peft") is None:
        raise UserError(f"{node}train=lora needs peft: pip install 'interest-fusion[lora]', or say {node}train=full.")
    if rank < 1:
        raise UserError(f"{node}rank={rank}: at least 1.")
    from peft import LoraConfig, get_peft_model

    settings: Any = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear")
    language.model = get_peft_model(language.model, settings)
    return language
