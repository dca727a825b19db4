"""From a configuration to parts that fit together, or to the reason why they do not."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from omegaconf import DictConfig

from research.augmentation.base import Augmentation, Augmented
from research.auxiliary.base import Auxiliary
from research.branch_dropout import BranchDropout, HidingFusion
from research.data.histories import Histories
from research.data.prepare import cache_of
from research.data.split import Spans
from research.encoders.base import Encoder
from research.errors import UserError
from research.fusion.base import Fusion
from research.items.base import ItemTable
from research.items.content import Content
from research.losses.avoid import Avoid
from research.losses.base import Loss
from research.losses.sampled import SampledLoss
from research.model import InterestModel
from research.objectives.base import Objective
from research.schema import build, target_class
from research.scoring.base import ScoredFusion, ScoredItems, Scoring
from research.shuffle import Shuffle, ShuffledEncoder
from research.sizes import Sizes
from research.training.compatible import check_compatible, name_of
from research.training.seeds import derive
from research.windows.base import Window
from research.windows.recent_mask import RecentMask


@dataclass(frozen=True)
class Parts:
    """A model with the way it is taught."""

    model: InterestModel
    loss: Loss
    objective: Objective
    auxiliary: list[Auxiliary]


def assemble(config: DictConfig, histories: Histories, train: Spans, added: int = 0, *, read: bool = True) -> Parts:
    """Build the model of a run with its initial weights.

    Every part draws its weights from a stream of its own, so two arms that share an encoder start it alike.

    Args:
        config: a composed run.
        histories: its dataset.
        train: what is trained on; some losses draw negatives by how often an item occurs there.
        added: so many items at the end of the catalogue were added after training, for weights that are loaded.
        read: whether titles and pictures are read, and the models that read them; where parameters are only counted,
            parts are built from the sizes alone.

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
    count_I = train.count(histories)
    cache = cache_of(config)
    content = Content.of(histories, cache, count_I, added) if read else None
    items = build(config["items"], ItemTable, sizes, content)
    objective = build(config.objective, Objective, items.mask_token)
    if nodes := config.get("augmentation"):
        least = objective.span + 1
        objective = Augmented(objective, {str(k): build(v, Augmentation, sizes, least) for k, v in nodes.items()})
    encoders: dict[str, Encoder | None] = {"long": None, "short": None}
    for view in reads:
        seeded(view)
        runtime = [sizes, content] if target_class(config[view]._target_, Encoder).reads_content else [sizes]
        encoders[view] = build(config[view], Encoder, *runtime)
    window = build(config.window, Window) if "short" in reads or not config.overlap else None
    recent_mask = build(config.recent_mask, RecentMask) if "short" in reads and config.get("recent_mask") else None
    seeded("fusion")
    fusion = build(config.fusion, Fusion, sizes)
    for view, encoder in encoders.items():
        if encoder is not None and encoder.interests > 1 and not fusion.takes_interests:
            raise UserError(
                f"encoder@{view}={name_of(type(encoder))} gives {encoder.interests} interests, and "
                f"fusion={name_of(type(fusion))} reads one. Use fusion=max_interest."
            )
    if config.get("shuffle"):
        control, seed = build(config.shuffle, Shuffle), derive(config.seed, "shuffle")
        encoders = {view: encoder and ShuffledEncoder(encoder, control, seed) for view, encoder in encoders.items()}
    if config.get("branch_dropout"):
        fusion = HidingFusion(fusion, build(config.branch_dropout, BranchDropout))
    if config.get("scoring"):
        scoring = build(config.scoring, Scoring)
        items, fusion = ScoredItems(items, scoring), ScoredFusion(fusion, scoring)
    model = InterestModel(items, fusion, **encoders, window=window, overlap=config.overlap, recent_mask=recent_mask)
    loss = build(config.loss, Loss, torch.from_numpy(count_I))
    if config.get("avoid") and isinstance(loss, SampledLoss):
        loss.avoid = build(config.avoid, Avoid, histories, train)
    terms = []
    for name, node in config.auxiliary.items():
        seeded(str(name))
        terms.append(build(node, Auxiliary, sizes))
    return Parts(model, loss, objective, terms)
