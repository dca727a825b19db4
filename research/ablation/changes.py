"""What an ablation tries: each part of the model left out, or replaced by its control, one at a time.

Whether a change makes sense here is told from the classes of the parts; whether it composes and is another run at all,
``arms.py`` finds out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from research.ablation.parts import Parts
from research.fusion.clsr import CLSR
from research.fusion.fissa import FISSA
from research.fusion.item_similarity import ItemSimilarity
from research.fusion.slirec import SLiRec
from research.training.compatible import name_of

CROSS_ENTROPY = "cross_entropy"
SEES_CANDIDATE = (SLiRec, CLSR, FISSA, ItemSimilarity)
"""Gates that have another share for each item."""


@dataclass(frozen=True)
class Change:
    """Words that replace some of the model's, under a name.

    Attributes:
        name: of the arm.
        words: what is said instead; a part that is chosen anew brings its own settings.
        extra_parameters: whether ``fusion.parameters`` is to be what the model has more than ``words`` alone.
    """

    name: str
    words: tuple[str, ...]
    extra_parameters: bool = False


@dataclass(frozen=True)
class LeftOut:
    """What is not tried, and why."""

    name: str
    reason: str


def changes(parts: Parts) -> Iterator[Change | LeftOut]:
    """Everything that is tried for a model, and what is not, in the order of the table."""
    yield from _branches(parts)
    yield from _controls(parts)
    yield from _views(parts)
    yield from _beside(parts)
    yield from _optional(parts)


def fused(parts: Parts, name: str, fusion: str, branches: tuple[str, ...], *words: str) -> Change | LeftOut:
    """Another fusion, without what reads a branch that it does not."""
    severals = [view for view in branches if parts.interests(view) > 1]
    if severals:
        view = severals[0]
        reason = f"encoder@{view}={name_of(parts.encoder(view))} gives several interests, and fusion={fusion} reads one"
        return LeftOut(name, reason)
    more = []
    kept = parts.terms(branches)
    if kept != parts.chosen("auxiliary"):
        more.append(f"auxiliary=[{','.join(kept)}]")
    if len(branches) < 2 and parts.config.get("branch_dropout"):
        more.append("branch_dropout=null")  # the only branch would be hidden
    return Change(name, (f"fusion={fusion}", *words, *more))


def _branches(parts: Parts) -> Iterator[Change | LeftOut]:
    short, long = "without short branch", "without long branch"
    if parts.two_branches:
        yield fused(parts, short, "long_only", ("long",))
        yield fused(parts, long, "short_only", ("short",))
    elif parts.fusion.twin:
        yield fused(parts, short, "long_only", ("long",), *parts.encoder_words("short", "long"))
        yield fused(parts, long, "short_only", ("short",))
    elif parts.reads_items:
        yield LeftOut(f"{short}, {long}", f"fusion={parts.fusion_name} makes the long view of the items by itself")
    else:
        yield LeftOut(f"{short}, {long}", f"fusion={parts.fusion_name} reads one branch only")


def _controls(parts: Parts) -> Iterator[Change | LeftOut]:
    both, own = ("long", "short"), parts.fusion_name
    if parts.fusion.twin and not parts.two_branches:
        same = [f"fusion.{key}={value}" for key, value in parts.config.fusion.items() if key != "_target_"]
        yield fused(parts, "two encoders", "weighted", both, *same, *parts.encoder_words("short", "long"))
        if parts.config.fusion.get("weight") != "fixed":
            yield Change("fixed weight", ("fusion.weight=fixed", "fusion.long_share=0.5"))
        return
    if not parts.two_branches:
        return
    if issubclass(parts.fusion, SEES_CANDIDATE):
        yield fused(parts, "gate without candidate", "gated", both)
    yield fused(parts, f"sum instead of {own}", "sum", both)
    yield fused(parts, "fixed weight", "weighted", both, "fusion.weight=fixed", "fusion.long_share=0.5")
    yield fused(parts, "random gate", "random_gate", both)
    twice, one = "same branch twice", "one encoder"
    if parts.encoder("short").reach == 0:
        reason = f"encoder@short={name_of(parts.encoder('short'))} reads no items, so any view is the same to it"
        yield LeftOut(f"{twice}, {one}", reason)
    elif parts.window.whole:
        reason = f"window={name_of(parts.window)} shows the short branch the whole history already"
        yield LeftOut(f"{twice}, {one}", reason)
    else:
        like = [f"fusion.elementwise={str(parts.config.fusion.elementwise).lower()}"] if own == "gated" else []
        yield fused(parts, twice, "same_branch_twice", both, *like)
        yield fused(parts, one, "weighted_twin", ("short",))
    wide = fused(parts, "long branch with as many parameters", "wide_long", ("long",))
    yield Change(wide.name, wide.words, extra_parameters=True) if isinstance(wide, Change) else wide


def _views(parts: Parts) -> Iterator[Change | LeftOut]:
    if not (parts.two_branches or parts.fusion.twin or parts.reads_items):
        return
    if parts.fusion.twin and not parts.two_branches:
        yield LeftOut("without window", f"fusion={parts.fusion_name} would read the same view twice")
    elif not parts.window.whole:
        yield Change("without window", ("window=all",))
    if parts.config.overlap:
        yield Change("long view ends before the window", ("overlap=false",))
    else:
        yield Change("long view contains the window", ("overlap=true",))


def _beside(parts: Parts) -> Iterator[Change | LeftOut]:
    """Terms and the loss."""
    terms = parts.chosen("auxiliary")
    for term in terms:
        yield Change(f"without {term}", (f"auxiliary=[{','.join(other for other in terms if other != term)}]",))
    loss = parts.config.loss._target_.split(".")[-2]
    if loss != CROSS_ENTROPY:
        avoid = ["avoid=null"] if parts.config.get("avoid") else []
        yield Change(f"cross-entropy instead of {loss}", (f"loss={CROSS_ENTROPY}", *avoid))
    elif parts.config.get("avoid"):
        yield Change("without avoid", ("avoid=null",))


def _optional(parts: Parts) -> Iterator[Change | LeftOut]:
    steps = parts.chosen("augmentation")
    for step in steps:
        yield Change(f"without {step}", (f"augmentation=[{','.join(other for other in steps if other != step)}]",))
    for group in ("branch_dropout", "recent_mask", "schedule", "averaging", "scoring", "shuffle"):
        if parts.config.get(group):
            yield Change(f"without {group.replace('_', ' ')}", (f"{group}=null",))
    for view in parts.fusion.branches:
        if parts.interests(view) > 1:
            yield Change(f"one {view} interest", (f"{view}.interests=1",))
