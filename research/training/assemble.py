"""From a configuration to parts that fit together, or to the reason why they do not."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from omegaconf import DictConfig

from research.config import build, target_class
from research.data.histories import Histories
from research.encoders.base import Encoder
from research.errors import UserError
from research.fusion.base import Fusion
from research.items.base import ItemTable
from research.losses.base import Loss
from research.model import InterestModel
from research.objectives.base import Objective
from research.training.seeds import derive
from research.windows.base import Window


@dataclass(frozen=True)
class Parts:
    """A model with the way it is taught."""

    model: InterestModel
    loss: Loss
    objective: Objective


def check_compatible(config: DictConfig, histories: Histories | None = None) -> None:
    """Refuse a combination that makes no sense, before anything is trained.

    Args:
        config: a composed run.
        histories: its dataset, when already at hand; some rules need it.

    Raises:
        UserError: with the reason and the mend.
    """
    if config.get("baseline"):
        return
    for name, least in (("width", 1), ("max_length", 2), ("batch_size", 1), ("seed", 0)):
        if not isinstance(config[name], int) or isinstance(config[name], bool) or config[name] < least:
            raise UserError(f"{name}={config[name]}: a whole number of at least {least}.")
    branches = target_class(config.fusion._target_).branches  # type: ignore[attr-defined]
    objective = target_class(config.objective._target_)
    for view in branches:
        encoder = target_class(config[view]._target_)
        if objective.causal and not encoder.causal:  # type: ignore[attr-defined]
            raise UserError(
                f"encoder@{view}={encoder.__name__.lower()} sees both sides of a position, so with the next-item "
                "objective it would read the answer. Use objective=masked_item, or a causal encoder such as "
                f"encoder@{view}=transformer."
            )
    if histories is not None and "short" in branches:
        window = target_class(config.window._target_)
        if window.needs_times and not histories.has_times:  # type: ignore[attr-defined]
            raise UserError(
                f"window={window.__name__.lower()} needs times, but {histories.name!r} has only an order. "
                "Use window=last_k, or a dataset with times."
            )


def assemble(config: DictConfig, histories: Histories) -> Parts:
    """Build the model of a run with its initial weights.

    Every part draws its weights from a stream of its own, so two arms that share an encoder start it alike.

    Raises:
        UserError: the parts do not fit together.
    """
    check_compatible(config, histories)
    fusion_class = target_class(config.fusion._target_)
    reads = fusion_class.branches  # type: ignore[attr-defined]

    def seeded(name: str) -> None:
        torch.manual_seed(derive(config.seed, "weights", name))

    seeded("items")
    items = build(config["items"], ItemTable, histories.n_items, config.width)
    objective = build(config.objective, Objective, items.mask_token)
    encoders: dict[str, Encoder | None] = {"long": None, "short": None}
    for view in reads:
        seeded(view)
        encoders[view] = build(config[view], Encoder, config.width, config.max_length)
    window = build(config.window, Window) if "short" in reads else None
    seeded("fusion")
    fusion = build(config.fusion, Fusion, config.width)
    model = InterestModel(items, fusion, long=encoders["long"], short=encoders["short"], window=window)
    return Parts(model, build(config.loss, Loss), objective)
