"""From a configuration to parts that fit together, or to the reason why they do not."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from omegaconf import DictConfig

from research.auxiliary.base import Auxiliary
from research.data.histories import Histories
from research.data.split import Spans
from research.encoders.base import Encoder
from research.errors import UserError
from research.fusion.base import Fusion
from research.items.base import ItemTable
from research.losses.base import Loss
from research.model import InterestModel
from research.objectives.base import Objective
from research.schema import build, target_class
from research.sizes import Sizes
from research.training.seeds import derive
from research.windows.base import Window


@dataclass(frozen=True)
class Parts:
    """A model with the way it is taught."""

    model: InterestModel
    loss: Loss
    objective: Objective
    auxiliary: list[Auxiliary]


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
    fusion = target_class(config.fusion._target_, Fusion)
    objective = target_class(config.objective._target_, Objective)
    encoders = {view: target_class(config[view]._target_, Encoder) for view in fusion.branches}
    for view, encoder in encoders.items():
        if objective.causal and not encoder.causal:
            raise UserError(
                f"encoder@{view}={encoder.__name__.lower()} sees both sides of a position, so with the next-item "
                "objective it would read the answer. Use objective=masked_item, or a causal encoder such as "
                f"encoder@{view}=transformer."
            )
    for name, node in config.auxiliary.items():
        missing = set(target_class(node._target_, Auxiliary).branches) - set(fusion.branches)
        if missing:
            raise UserError(
                f"auxiliary={name} reads the {' and the '.join(sorted(missing))} branch, which "
                f"fusion={fusion.__name__.lower()} does not. Leave it out, or choose another fusion."
            )
    if fusion.needs_initial and not encoders["short"].takes_initial:
        raise UserError(
            f"fusion={fusion.__name__.lower()} gives the short encoder a state to begin from, and "
            f"{encoders['short'].__name__.lower()} cannot take one. Use encoder@short=gru or encoder@short=lstm."
        )
    if not config.overlap and "long" in encoders and not encoders["long"].causal:
        raise UserError(
            f"overlap=false ends the long view before the window, but encoder@long={encoders['long'].__name__.lower()} "
            "sees both sides of a position. Use overlap=true, or a causal encoder."
        )
    if histories is not None and not histories.has_times:
        parts: dict[str, type[Encoder | Fusion | Window]] = {"fusion": fusion}
        for view, encoder in encoders.items():
            parts[f"encoder@{view}"] = encoder
        if "short" in fusion.branches or not config.overlap:
            parts["window"] = target_class(config.window._target_, Window)
        for key, part in parts.items():
            if part.needs_times:
                mend = "window=last_k" if key == "window" else f"another {key}"
                raise UserError(
                    f"{key}={part.__name__.lower()} needs times, but {histories.name!r} has only an order. "
                    f"Use {mend}, or a dataset with times."
                )


def assemble(config: DictConfig, histories: Histories, train: Spans) -> Parts:
    """Build the model of a run with its initial weights.

    Every part draws its weights from a stream of its own, so two arms that share an encoder start it alike.

    Args:
        config: a composed run.
        histories: its dataset.
        train: what is trained on; some losses draw negatives by how often an item occurs there.

    Raises:
        UserError: the parts do not fit together.
    """
    check_compatible(config, histories)
    reads = target_class(config.fusion._target_, Fusion).branches
    sizes = Sizes(
        width=config.width, max_length=config.max_length, n_items=histories.n_items, n_users=histories.n_users
    )

    def seeded(name: str) -> None:
        torch.manual_seed(derive(config.seed, "weights", name))

    seeded("items")
    items = build(config["items"], ItemTable, sizes)
    objective = build(config.objective, Objective, items.mask_token)
    encoders: dict[str, Encoder | None] = {"long": None, "short": None}
    for view in reads:
        seeded(view)
        encoders[view] = build(config[view], Encoder, sizes)
    window = build(config.window, Window) if "short" in reads or not config.overlap else None
    seeded("fusion")
    fusion = build(config.fusion, Fusion, sizes)
    long, short = encoders["long"], encoders["short"]
    for view, encoder in encoders.items():
        if encoder is not None and encoder.interests > 1 and not fusion.takes_interests:
            raise UserError(
                f"encoder@{view}={type(encoder).__name__.lower()} gives {encoder.interests} interests, and "
                f"fusion={type(fusion).__name__.lower()} reads one. Use fusion=max_interest."
            )
    model = InterestModel(items, fusion, long=long, short=short, window=window, overlap=config.overlap)
    loss = build(config.loss, Loss, torch.from_numpy(train.count(histories)))
    terms = []
    for name, node in config.auxiliary.items():
        seeded(str(name))
        terms.append(build(node, Auxiliary, sizes))
    return Parts(model, loss, objective, terms)
