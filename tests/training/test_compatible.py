"""Combinations that could never do what they say are refused before anything is built, with the mend."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from research.checks.world import SIZES, moved, small_world
from research.config import compose
from research.errors import UserError
from research.fusion.base import Fusion
from research.fusion.two_attentions import TwoAttentions
from research.training.compatible import check_compatible


@pytest.mark.parametrize(
    ("words", "who"),
    [
        (["fusion=two_attentions"], "fusion=two_attentions"),
        (["fusion=two_attentions", "overlap=false"], "fusion=two_attentions"),
        (["model=shan"], "fusion=two_attentions"),
        (["fusion=initial_state"], "fusion=initial_state"),
        (["fusion=sum", "overlap=false"], "overlap=false"),
    ],
)
def test_what_reads_before_the_window_needs_something_there(words: list[str], who: str) -> None:
    check_compatible(compose([*words, "window=last_k"]))
    with pytest.raises(UserError, match=rf"window=all begins with the first.*{who} reads there.*window=last_k"):
        check_compatible(compose([*words, "window=all"]))


@pytest.mark.parametrize(
    "words",
    [
        ["fusion=sum"],
        ["fusion=hierarchical"],
        ["fusion=short_only", "overlap=false"],
        ["fusion=initial_state", "encoder@long=user"],
        ["fusion=sum", "encoder@long=user", "overlap=false"],
    ],
)
def test_what_reads_nothing_there_may_have_every_window(words: list[str]) -> None:
    """A vector of the user says the same wherever it is asked."""
    check_compatible(compose([*words, "window=all"]))


def test_a_fusion_says_that_it_reads_before_the_window(fusion_class: type[Fusion]) -> None:
    """Of those without a long view: another first item moves interests whose window begins later, or does not."""
    if "long" in fusion_class.branches or fusion_class.twin:
        assert not fusion_class.reads_before, "a long view reads there for it, as far as overlap lets it"
        return
    world = small_world()
    torch.manual_seed(1)
    fusion = moved(fusion_class(SIZES), 4)
    later_N = world.start_of(world.at) > 0
    before_ND = fusion(world.views(fusion_class.branches)).interest_ND[later_N]
    items_BT = world.batch.items_BT.clone()
    items_BT[:, 0] = items_BT[:, 0] % 9 + 1
    other = replace(world, batch=replace(world.batch, items_BT=items_BT))
    after_ND = fusion(other.views(fusion_class.branches)).interest_ND[later_N]
    assert len(before_ND) > 0
    assert torch.equal(before_ND, after_ND) != fusion_class.reads_before


def test_the_rule_above_has_something_to_find() -> None:
    assert TwoAttentions.reads_before and "long" not in TwoAttentions.branches
