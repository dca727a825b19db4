"""One encoder over both views, by states of histories and windows cut out by hand; what follows for a configuration.

Shape legend: N asked positions, D width.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_world import SIZES, World, same, sigmoid, states

from research.config import canonical, compose, identity
from research.errors import UserError
from research.fusion.weighted import Weighted
from research.fusion.weighted_twin import WeightedTwin
from research.training.compatible import check_compatible

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("weight", ["scalar", "elementwise"])
def test_it_weighs_two_states_of_the_short_encoder(world: World, built, weight: str, overlap: bool) -> None:
    fusion = built(WeightedTwin, weight=weight)
    fused = fusion(world.views(("short",), overlap=overlap))
    a = sigmoid(fusion.state_dict()["weighted.logit"].numpy())
    one_encoder = replace(world, long=world.short)
    long_ND, short_ND = states(one_encoder, overlap)
    same(fused.interest_ND, a * long_ND + (1 - a) * short_ND)
    same(fused.weight_N2, [[a.mean(), 1 - a.mean()]] * len(long_ND))
    assert abs(long_ND - short_ND).max() > 0.1


def test_it_learns_what_weighted_learns() -> None:
    counts = [sum(p.numel() for p in kind(SIZES).parameters()) for kind in (WeightedTwin, Weighted)]
    assert counts[0] == counts[1] == 1


def test_a_share_out_of_range() -> None:
    with pytest.raises(UserError, match=r"fusion\.long_share=2"):
        WeightedTwin(SIZES, long_share=2.0)


class TestConfiguration:
    WORDS = ("model=pretrained_alpha", "encoder@short=gru")

    def test_the_long_encoder_plays_no_part_and_where_its_view_ends_does(self) -> None:
        base = identity(compose([*self.WORDS]))
        assert identity(compose([*self.WORDS, "encoder@long=lstm"])) == base
        assert identity(compose([*self.WORDS, "overlap=false"])) != base
        assert identity(compose([*self.WORDS, "window.k=3"])) != base
        assert not canonical(compose([*self.WORDS, "overlap=false"]))["overlap"]
        short_only = ["fusion=short_only", "encoder@short=gru"]
        assert identity(compose([*short_only, "overlap=false"])) == identity(compose(short_only))

    @pytest.mark.parametrize("fusion", ["weighted_twin", "same_branch_twice"])
    def test_a_long_view_through_the_short_encoder_cannot_end_early_if_that_looks_ahead(self, fusion: str) -> None:
        words = [f"fusion={fusion}", "encoder@short=bert4rec", "objective=masked_item"]
        check_compatible(compose(words))
        with pytest.raises(UserError, match=r"overlap=false.*encoder@short=bert4rec sees both sides"):
            check_compatible(compose([*words, "overlap=false"]))

    def test_nothing_lies_before_a_window_of_everything(self) -> None:
        with pytest.raises(UserError, match=r"window=all begins with the first interaction"):
            check_compatible(compose([*self.WORDS, "window=all", "overlap=false"]))
