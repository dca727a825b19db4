"""The arms of an ablation: every change that composes, makes sense, and is not the run of an earlier arm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from omegaconf import DictConfig

from research.ablation.changes import LeftOut, changes
from research.ablation.parts import Parts, touches
from research.catalogue import STATED, assembled, counts
from research.config import compose
from research.errors import UserError
from research.sizes import Sizes
from research.training.compatible import check_compatible
from research.training.names import cell

WHOLE = "whole"


@dataclass(frozen=True)
class Arms:
    """What a study compares.

    Attributes:
        shared: words of every arm.
        own: name -> further words; the whole model first.
        left_out: what is not tried, and why.
    """

    shared: list[str]
    own: dict[str, list[str]]
    left_out: list[LeftOut] = field(default_factory=list)


def arms(words: Sequence[str]) -> Arms:
    """Take one part after the other from the model that the words describe.

    Args:
        words: such as ``["model=slirec", "data=ml-100k"]``.

    Raises:
        UserError: the words do not compose, or the model itself makes no sense.
    """
    whole = compose(list(words))
    check_compatible(whole)
    tried: dict[str, list[str]] = {WHOLE: list(words)}
    cells, left_out = {cell(whole): WHOLE}, []
    for change in changes(Parts(whole, tuple(words))):
        if isinstance(change, LeftOut):
            left_out.append(change)
            continue
        try:
            said = _applied(words, change.words)
            if change.extra_parameters:
                said.append(f"fusion.parameters={_more(whole, said)}")
            config = compose(said)
            check_compatible(config)
        except UserError as error:
            left_out.append(LeftOut(change.name, " ".join(str(error).split())))
            continue
        other = cells.setdefault(cell(config), change.name)
        if other != change.name:
            left_out.append(LeftOut(change.name, f"the same run as {other!r}"))
        else:
            tried[change.name] = said
    shared = [word for word in words if all(word in said for said in tried.values())]
    own = {name: [word for word in said if word not in shared] for name, said in tried.items()}
    return Arms(shared, own, left_out)


def _applied(words: Iterable[str], changed: Sequence[str]) -> list[str]:
    """The words of an arm: those of the model that still hold, and the change's."""
    return [*(word for word in words if not any(touches(each, word) for each in changed)), *changed]


def _more(whole: DictConfig, words: list[str]) -> int:
    """How many parameters the whole model has more than the long branch alone, tables of items and users apart.

    Raises:
        UserError: too few to be spent on one neuron.
    """
    alone = compose(["fusion=long_only" if word.startswith("fusion=") else word for word in words])
    sizes = Sizes(whole.width, whole.max_length, **STATED)
    several, one = (counts(lambda i, u, of=config: assembled(of, i, u), sizes)[0] for config in (whole, alone))
    if several - one < 3 * whole.width:
        raise UserError(
            f"the model has {several - one} parameters more than its long branch, and a neuron takes {3 * whole.width}"
        )
    return several - one
