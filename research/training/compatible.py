"""Which parts do not go together, and what to do instead: asked of the configuration, before anything is built."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from omegaconf import DictConfig

from research.auxiliary.base import Auxiliary
from research.data.histories import Histories
from research.encoders.base import Encoder
from research.errors import UserError
from research.fusion.base import Fusion
from research.losses.base import Loss
from research.objectives.base import Objective
from research.schema import target_class
from research.windows.base import Window


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
    classes = _Classes(config)
    for rule in (_sight, _auxiliary, _sparse, _avoid, _beginning, _before_the_window, _recent, _shuffle):
        rule(config, classes)
    if histories is not None and not histories.has_times:
        _times(config, classes, histories.name)


def name_of(part: type) -> str:
    """What a configuration calls a class: the file that it lives in."""
    return part.__module__.rpartition(".")[2]


@dataclass(frozen=True)
class _Classes:
    """The classes that a configuration names; none is built."""

    config: DictConfig

    @cached_property
    def fusion(self) -> type[Fusion]:
        return target_class(self.config.fusion._target_, Fusion)

    @cached_property
    def objective(self) -> type[Objective]:
        return target_class(self.config.objective._target_, Objective)

    @cached_property
    def window(self) -> type[Window]:
        return target_class(self.config.window._target_, Window)

    @cached_property
    def encoders(self) -> dict[str, type[Encoder]]:
        """Of the views that are read."""
        return {view: target_class(self.config[view]._target_, Encoder) for view in self.fusion.branches}

    @cached_property
    def auxiliary(self) -> dict[str, type[Auxiliary]]:
        return {str(name): target_class(node._target_, Auxiliary) for name, node in self.config.auxiliary.items()}


def _sight(config: DictConfig, classes: _Classes) -> None:
    for view, encoder in classes.encoders.items():
        if classes.objective.causal and not encoder.causal:
            raise UserError(
                f"encoder@{view}={name_of(encoder)} sees both sides of a position, so with the next-item "
                "objective it would read the answer. Use objective=masked_item, or a causal encoder such as "
                f"encoder@{view}=transformer."
            )


def _auxiliary(config: DictConfig, classes: _Classes) -> None:
    for name, term in classes.auxiliary.items():
        if missing := set(term.branches) - set(classes.fusion.branches):
            raise UserError(
                f"auxiliary={name} reads the {' and the '.join(sorted(missing))} branch, which "
                f"fusion={name_of(classes.fusion)} does not. Leave it out, or choose another fusion."
            )


def _sparse(config: DictConfig, classes: _Classes) -> None:
    if not config["items"].get("sparse"):
        return
    terms = {f"auxiliary={name}": term for name, term in classes.auxiliary.items()}
    for key, part in {"loss": target_class(config.loss._target_, Loss), **terms}.items():
        if not part.sampled:
            raise UserError(
                f"items.sparse=true touches looked-up items only, and {key.partition('=')[0]}={name_of(part)} needs "
                "all of them. Use a sampled loss such as loss=sampled_softmax, or items.sparse=false."
            )


def _avoid(config: DictConfig, classes: _Classes) -> None:
    if not config.get("avoid"):
        return
    loss = target_class(config.loss._target_, Loss)
    if not loss.sampled:
        raise UserError(
            f"avoid says which items are not drawn as negatives, and loss={name_of(loss)} draws none. Use a sampled "
            "loss such as loss=bce, or avoid=null."
        )
    if config.loss.get("shared") or config.loss.get("source") == "batch":
        raise UserError(
            f"avoid leaves out items of each user, and loss={name_of(loss)} lets the positions of a step share their "
            "negatives. Use loss.shared=false and loss.source=uniform or popularity, or avoid=null."
        )


def _beginning(config: DictConfig, classes: _Classes) -> None:
    fusion = classes.fusion
    if fusion.needs_initial and not classes.encoders["short"].takes_initial:
        raise UserError(
            f"fusion={name_of(fusion)} gives the short encoder a state to begin from, and "
            f"{name_of(classes.encoders['short'])} cannot take one. Use encoder@short=gru or encoder@short=lstm."
        )


def _before_the_window(config: DictConfig, classes: _Classes) -> None:
    read_long = {v: e for v, e in classes.encoders.items() if v == "long" or classes.fusion.twin}
    for view, encoder in read_long.items():
        if not config.overlap and not encoder.causal:
            raise UserError(
                f"overlap=false ends the long view before the window, but encoder@{view}={name_of(encoder)} "
                "sees both sides of a position. Use overlap=true, or a causal encoder."
            )
    # An encoder that reads no items, such as a vector of the user, says there what it always says.
    in_vain = any(encoder.reach != 0 for encoder in read_long.values())
    by_fusion = classes.fusion.reads_before or (classes.fusion.needs_initial and in_vain)
    if classes.window.whole and (by_fusion or (in_vain and not config.overlap)):
        key = f"fusion={name_of(classes.fusion)}" if by_fusion else "overlap=false"
        raise UserError(
            f"window={name_of(classes.window)} begins with the first interaction, so nothing lies before it for the "
            f"long view that {key} reads there. Use a shorter window such as window=last_k."
        )


def _recent(config: DictConfig, classes: _Classes) -> None:
    if config.get("recent_mask") and not classes.objective.causal:
        raise UserError(
            "recent_mask hides the latest interactions before a request, and objective="
            f"{name_of(classes.objective)} asks within a history. Use objective=next_item, or recent_mask=null."
        )


def _shuffle(config: DictConfig, classes: _Classes) -> None:
    if not config.get("shuffle"):
        return
    if not classes.objective.causal:
        raise UserError(
            f"shuffle mixes what comes before a request, and objective={name_of(classes.objective)} asks within a "
            "history. Use objective=next_item, or shuffle=null."
        )
    if classes.fusion.reads_order:
        raise UserError(
            f"shuffle mixes what the encoders read, but fusion={name_of(classes.fusion)} reads the order of the items "
            "by itself. Choose another fusion, such as fusion=gated, or shuffle=null."
        )


def _times(config: DictConfig, classes: _Classes, dataset: str) -> None:
    parts: dict[str, type[Encoder | Fusion | Window]] = {"fusion": classes.fusion}
    parts |= {f"encoder@{view}": encoder for view, encoder in classes.encoders.items()}
    if "short" in classes.fusion.branches or not config.overlap:
        parts["window"] = classes.window
    for key, part in parts.items():
        if part.needs_times:
            mend = "window=last_k" if key == "window" else f"another {key}"
            raise UserError(
                f"{key}={name_of(part)} needs times, but {dataset!r} has only an order. "
                f"Use {mend}, or a dataset with times."
            )
    if config.get("recent_mask"):
        raise UserError(f"recent_mask needs times, but {dataset!r} has only an order. Use recent_mask=null.")
