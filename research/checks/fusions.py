"""What every fusion promises, tried on a class: it reads what it says, sees no later item, needs no company.

A promise is a function of whatever makes the fusion, ``make(sizes)``: its class, or a ``partial`` of it. It raises an
AssertionError that says what was broken. The tests of this package try these on every fusion; ``check_fusion`` is for
one that lives elsewhere.

Shape legend: B rows, T positions, N asked positions, D width, C candidates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import torch

from research.checks.expect import expect
from research.checks.world import SIZES, D, World, moved, small_world
from research.data.batch import Positions
from research.fusion.base import Fused, Fusion

Make = Callable[..., Fusion]
BOTH = ("long", "short")


def check_fusion(make: Make) -> None:
    """Try every promise.

    Args:
        make: the fusion's class, or a partial of it with some of its settings.

    Raises:
        AssertionError: a promise was broken.
    """
    for promise in PROMISES:
        promise(make)


def made(make: Make, **settings: object) -> Fusion:
    """In float64, away from its initial weights."""
    torch.manual_seed(1)
    fusion = make(SIZES, **settings)
    moved(fusion, 4)
    return fusion


def weights_are_shares(make: Make) -> None:
    """Where there are weights, they are two shares of one for each position."""
    world, fusion = small_world(), made(make)
    fused = fusion(world.views(fusion.branches))
    expect(len(fused) == len(world.at), "as many interests as positions were asked for")
    expect(fused.interest_ND.shape == (len(fused), D), "an interest is as wide as an item")
    if fused.weight_N2 is not None:
        expect(fused.weight_N2.shape == (len(fused), 2), "a weight for each of two branches")
        expect((fused.weight_N2 >= 0).all(), "a weight is negative")
        ones_N = torch.ones(len(fused), dtype=torch.float64)
        torch.testing.assert_close(fused.weight_N2.sum(1), ones_N, rtol=0, atol=1e-9)


def exactly_the_branches_that_it_names_are_read(make: Make) -> None:
    """Gradients reach every weight of those encoders, and none of the other."""
    for overlap in (True, False):
        world, fusion = small_world(), made(make)
        views = world.views(BOTH, overlap=overlap)  # both encoders are there to be read
        _curved(fusion(views), world).backward()
        for branch, encoder in (("long", world.long), ("short", world.short)):
            for name, parameter in encoder.named_parameters():
                read = parameter.grad is not None and bool(parameter.grad.any())
                expect(read == (branch in fusion.branches), f"branches={fusion.branches}, {branch}.{name} read: {read}")


def a_branch_that_is_not_named_need_not_be_built(make: Make) -> None:
    """The scores are the same without it."""
    world, fusion = small_world(), made(make)
    few = fusion(world.views(fusion.branches)).score(world.candidates_CD)
    expect(torch.equal(few, fusion(world.views(BOTH)).score(world.candidates_CD)), "another branch changes a score")


def every_parameter_is_used(make: Make) -> None:
    """Gradients reach all of them."""
    world, fusion = small_world(), made(make)
    _curved(fusion(world.views()), world).backward()
    for name, parameter in fusion.named_parameters():
        expect(parameter.grad is not None and bool(parameter.grad.any()), f"{name} is never used")


def a_position_is_fused_alone(make: Make) -> None:
    """Its interest, scores and weights do not depend on what else is in the batch."""
    for overlap in (True, False):
        world, fusion = small_world(), made(make)
        together = fusion(world.views(overlap=overlap))
        score_NC, start_N = together.score(world.candidates_CD), world.start_of(world.at)
        for n, (b, position) in enumerate(zip(world.at.row_N.tolist(), world.at.position_N.tolist(), strict=True)):
            at = Positions(torch.tensor([0]), torch.tensor([position]))
            alone = fusion(world.row(b).views(overlap=overlap, at=at, start_N=start_N[n : n + 1]))
            torch.testing.assert_close(alone.score(world.candidates_CD)[0], score_NC[n], rtol=0, atol=1e-9)
            torch.testing.assert_close(alone.interest_ND[0], together.interest_ND[n], rtol=0, atol=1e-9)
            if together.weight_N2 is not None:
                torch.testing.assert_close(alone.weight_N2[0], together.weight_N2[n], rtol=0, atol=1e-9)


def times_are_declared_when_they_are_read(make: Make) -> None:
    """Only a fusion that needs times scores otherwise when it is asked later."""
    world, fusion = small_world(), made(make)
    before_NC = fusion(world.views()).score(world.candidates_CD)
    batch = replace(world.batch, now_BT=world.batch.now_BT + 1_000_000)
    after_NC = fusion(replace(world, batch=batch).views()).score(world.candidates_CD)
    expect(torch.equal(before_NC, after_NC) != fusion.needs_times, f"needs_times={fusion.needs_times} is not so")


def later_items_and_their_moments_change_nothing(make: Make) -> None:
    """The encoders of these views are causal; a fusion that reads rows itself must be so too."""
    world, fusion = small_world(), made(make)
    before_NC = fusion(world.views()).score(world.candidates_CD.detach())
    items_BT = world.batch.items_BT.clone()
    items_BT[0, 5], items_BT[3, 3] = 7, 5
    now_BT, times_BT = world.batch.now_BT.clone(), world.batch.times_BT.clone()
    now_BT[0, 5:] += 9999
    times_BT[0, 6] += 9999
    batch = replace(world.batch, items_BT=items_BT, now_BT=now_BT, times_BT=times_BT)
    after_NC = fusion(replace(world, batch=batch).views()).score(world.candidates_CD.detach())
    moved_N = (after_NC - before_NC).abs().amax(1) > 1e-9
    first_N = torch.tensor([5, 9, 9, 3])[world.at.row_N]
    expect(not moved_N[world.at.position_N < first_N].any(), "a later item or its moment changes a score")
    expect(moved_N[world.at.position_N == first_N].all(), "the changed items themselves count")


def rows_and_both_ways_to_score_agree(make: Make) -> None:
    """Scores of shared candidates, of each position's own, and of some positions only."""
    world, fusion = small_world(), made(make)
    fused, x_CD = fusion(world.views()), world.candidates_CD
    score_NC = fused.score(x_CD)
    torch.testing.assert_close(fused.score_own(x_CD.expand(len(fused), -1, -1)), score_NC, rtol=0, atol=1e-12)
    # Candidates of each position's own: the n-th position is asked for items n, n + 1 and n + 2.
    chosen_NC = (torch.arange(len(fused))[:, None] + torch.arange(3)) % len(x_CD)
    torch.testing.assert_close(fused.score_own(x_CD[chosen_NC]), score_NC.gather(1, chosen_NC), rtol=0, atol=1e-12)
    for chosen in (slice(0, 4), slice(5, 6), slice(9, 99)):
        part = fused.rows(chosen)
        expect(type(part) is type(fused) and len(part) == len(score_NC[chosen]), "rows() of another kind or number")
        torch.testing.assert_close(part.score(x_CD), score_NC[chosen], rtol=0, atol=1e-12)
        expect(torch.equal(part.interest_ND, fused.interest_ND[chosen]), "rows() has other interests")
        expect((part.weight_N2 is None) == (fused.weight_N2 is None), "rows() has weights where the whole has none")
        if part.weight_N2 is not None and fused.weight_N2 is not None:
            expect(torch.equal(part.weight_N2, fused.weight_N2[chosen]), "rows() has other weights")


def in_mixed_precision_it_is_nearly_the_same(make: Make) -> None:
    """Under autocast one encoder may answer in bfloat16 and the other in float32."""
    world = small_world()
    single = replace(world, table=world.table.detach().float(), long=world.long.float(), short=world.short.float())
    torch.manual_seed(1)
    fusion = make(SIZES).eval()
    exact_NC = fusion(single.views()).score(single.candidates_CD)
    with torch.autocast("cpu", torch.bfloat16):
        mixed_NC = fusion(single.views()).score(single.candidates_CD)
    off = ((mixed_NC.float() - exact_NC).norm() / exact_NC.norm()).item()
    expect(off < 0.05, f"in bfloat16 scores are off by {off:.0%}")


def in_double_it_is_the_same(make: Make) -> None:
    """Ranks are counted in float64, so every tensor of the result goes there."""
    world, fusion = small_world(), made(make)
    fused = fusion(world.views())
    tensors = {f.name: getattr(fused, f.name) for f in fields(fused)}
    single = replace(fused, **{name: tensor.float() for name, tensor in tensors.items() if tensor is not None})
    score_NC = single.double().score(world.candidates_CD)
    expect(type(single.double()) is type(fused) and score_NC.dtype == torch.float64, "double() is of another kind")
    torch.testing.assert_close(score_NC, fused.score(world.candidates_CD), rtol=1e-4, atol=1e-4)


def _curved(fused: Fused, world: World) -> torch.Tensor:
    # A linear function of the scores would be blind to a weight that only moves along a direction.
    return (fused.score(world.candidates_CD) ** 3).sum()


PROMISES: tuple[Callable[[Make], None], ...] = (
    weights_are_shares,
    exactly_the_branches_that_it_names_are_read,
    a_branch_that_is_not_named_need_not_be_built,
    every_parameter_is_used,
    a_position_is_fused_alone,
    times_are_declared_when_they_are_read,
    later_items_and_their_moments_change_nothing,
    rows_and_both_ways_to_score_agree,
    in_mixed_precision_it_is_nearly_the_same,
    in_double_it_is_the_same,
)
