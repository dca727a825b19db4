"""The count in float32 with float64 where it is close, against the one in float64 throughout: equal integers.

Shape legend: B users, D width, I items.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from research.errors import UserError
from research.evaluation import dot_ranks
from research.evaluation.dot_ranks import Catalogue, count_better_dots
from research.evaluation.ranks import count_better
from research.evaluation.scores import DotScores

pytestmark = pytest.mark.usefixtures("one_thread")

B, N_ITEMS = 37, 3000


def case(seed: int, d: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Interests, items, targets, seen pairs; some items are copies of the targets, some differ in their last bits."""
    random = torch.Generator().manual_seed(seed)
    item_ID = torch.randn(N_ITEMS, d, generator=random) * 0.1
    item_ID[100:200] = item_ID[:100]
    item_ID[300:400] = item_ID[:100] * (1 + 2e-7)
    item_ID[400:500] = item_ID[:100] + 1e-6 * torch.randn(100, d, generator=random)
    interest_BD = torch.randn(B, d, generator=random)
    interest_BD[3] = 0
    target_B = torch.randint(N_ITEMS, (B,), generator=random)
    target_B[:25] = torch.arange(25) * 4
    row_S = torch.randint(B, (500,), generator=random).sort().values
    item_S = torch.randint(N_ITEMS, (500,), generator=random)
    item_S[::50] = target_B[row_S[::50]]
    return interest_BD, item_ID, target_B, row_S, item_S


@pytest.mark.parametrize("d", [1, 8, 64])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("chunk", [97, 700, 4096])
def test_the_same_counts(seed: int, d: int, chunk: int) -> None:
    interest_BD, item_ID, *asked = case(seed, d)
    expected = count_better(DotScores(interest_BD, item_ID), *asked)
    got = count_better_dots(interest_BD, Catalogue(item_ID), *asked, chunk=chunk)
    assert all(torch.equal(g, e) for g, e in zip(got, expected, strict=True))
    assert got[1].any() and got[0].any()


def test_close_pairs_need_the_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the example would not test it: with no room for float32's error the counts are wrong."""
    interest_BD, item_ID, *asked = case(0, 64)
    expected = count_better(DotScores(interest_BD, item_ID), *asked)
    monkeypatch.setattr(dot_ranks, "SLACK", 0.01 - 2 * 64)
    got = count_better_dots(interest_BD, Catalogue(item_ID), *asked)
    assert not all(torch.equal(g, e) for g, e in zip(got, expected, strict=True))


def test_the_size_of_vectors_plays_no_part() -> None:
    interest_BD, item_ID, *asked = case(1, 8)
    expected = count_better_dots(interest_BD, Catalogue(item_ID), *asked)
    for scale in (2.0**-60, 2.0**60):
        got = count_better_dots(interest_BD * scale, Catalogue(item_ID * scale), *asked)
        assert all(torch.equal(g, e) for g, e in zip(got, expected, strict=True))


@pytest.mark.parametrize("d", [1, 4, 16, 200])
@pytest.mark.parametrize("seed", range(6))
def test_coarse_vectors_tie_often(seed: int, d: int) -> None:
    interest_BD, item_ID, *asked = case(seed, d)
    interest_BD, item_ID = interest_BD.round(), (item_ID * 10).round() / 2
    expected = count_better(DotScores(interest_BD, item_ID), *asked)
    got = count_better_dots(interest_BD, Catalogue(item_ID), *asked, chunk=1000)
    assert all(torch.equal(g, e) for g, e in zip(got, expected, strict=True))
    assert got[1].double().mean() > 10


@pytest.mark.parametrize("zero", ["items", "interests"])
def test_where_everything_ties(zero: str) -> None:
    interest_BD, item_ID, *asked = case(2, 16)
    (item_ID if zero == "items" else interest_BD).zero_()
    better_B, ties_B, candidates_B = count_better_dots(interest_BD, Catalogue(item_ID), *asked)
    expected = count_better(DotScores(interest_BD, item_ID), *asked)
    assert all(torch.equal(g, e) for g, e in zip((better_B, ties_B, candidates_B), expected, strict=True))
    ranked_B = better_B == 0  # a target that was seen stands last
    assert ranked_B.sum() > 20 and torch.equal(ties_B[ranked_B], candidates_B[ranked_B] - 1)


def test_a_lower_precision_of_products_takes_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    interest_BD, item_ID, *asked = case(2, 64)
    expected = count_better(DotScores(interest_BD, item_ID), *asked)
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "medium")
    monkeypatch.setattr(dot_ranks, "SLACK", 0.01 - 2 * 64)  # the fast way would be wrong now
    got = count_better_dots(interest_BD, Catalogue(item_ID), *asked)
    assert all(torch.equal(g, e) for g, e in zip(got, expected, strict=True))


@pytest.mark.parametrize("broken", [torch.nan, torch.inf])
def test_what_is_not_finite_is_refused(broken: float) -> None:
    interest_BD, item_ID, *asked = case(0, 8)
    catalogue = Catalogue(item_ID)
    interest_BD[2, 1] = broken
    with pytest.raises(UserError, match="NaN or infinity"):
        count_better_dots(interest_BD, catalogue, *asked)
    item_ID[5, 0] = broken
    with pytest.raises(UserError, match="NaN or infinity"):
        Catalogue(item_ID)
