"""Negatives that leave out a user's items, against sets and a plain loop.

Shape legend: N positions, K negatives.
"""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from research.config import compose
from research.data.split import LeaveOneOut
from research.errors import UserError
from research.fusion.base import Fused
from research.items.ids import Ids
from research.losses.avoid import Avoid
from research.losses.bce import BCE
from research.sizes import Sizes
from research.training.compatible import check_compatible

pytestmark = pytest.mark.usefixtures("one_thread")

USERS = ([1, 2, 3, 4, 5], [6, 2, 6, 7], [8, 1])


@pytest.fixture
def histories(make_histories):
    return make_histories(*USERS, n_items=9)


@pytest.mark.parametrize("items", ["training", "whole"])
def test_it_knows_each_users_items(histories, items) -> None:
    avoid = Avoid(histories, LeaveOneOut()(histories).train, items=items)
    train = [row[:-2] if len(row) >= 3 else row for row in USERS]
    for user, row in enumerate(USERS if items == "whole" else train):
        got = avoid.forbids(torch.full((9,), user), torch.arange(9))
        assert got.tolist() == [item in row for item in range(1, 10)]


def test_what_is_drawn_is_uniform_over_what_is_left(histories) -> None:
    torch.manual_seed(0)
    avoid = Avoid(histories, LeaveOneOut()(histories).train, items="whole")
    user_N = torch.tensor([0, 1])
    row_NK = torch.randint(9, (2, 8000))
    drawn_NK = avoid(row_NK, user_N, lambda count: torch.randint(9, (count,)))
    for user, row in enumerate(drawn_NK.tolist()):
        left = set(range(1, 10)) - set(USERS[user])
        count = Counter(item + 1 for item in row)
        assert set(count) == left
        assert all(abs(times / 8000 - 1 / len(left)) < 0.03 for times in count.values())
    kept_NK = ~avoid.forbids(user_N[:, None].expand_as(row_NK), row_NK)
    assert torch.equal(drawn_NK[kept_NK], row_NK[kept_NK]), "what was drawn rightly stays"


def test_nothing_left_to_draw(make_histories) -> None:
    h = make_histories([1, 2, 3])
    avoid = Avoid(h, LeaveOneOut()(h).train, items="whole")
    with pytest.raises(UserError, match="nearly every item"):
        avoid(torch.tensor([[0]]), torch.tensor([0]), lambda count: torch.randint(3, (count,)))


def test_a_loss_uses_it(histories) -> None:
    """User 0 may be given item 9 alone if 6, 7 and 8 are never drawn: then the loss is that of item 9."""
    torch.manual_seed(0)
    items = Ids(Sizes(4, n_items=9), std=1.0)
    loss = BCE(torch.ones(9), negatives=1)
    loss.avoid = Avoid(histories, LeaveOneOut()(histories).train, items="whole")
    allowed = torch.tensor([0, 1, 2, 3, 4, 8])
    loss.draw.forward = lambda shape, target_N: allowed[torch.randint(6, shape)]  # type: ignore[method-assign]
    h_ND, target_N = torch.randn(3, 4), torch.tensor([1, 2, 3])
    got = loss(Fused(h_ND, None), target_N, items, user_N=torch.zeros(3, dtype=torch.int64))
    table_ID = items.candidates()
    expected = 0.0
    for h_D, target in zip(h_ND, target_N, strict=True):
        yes, no = (h_D @ table_ID[target]).item(), (h_D @ table_ID[8]).item()
        expected -= 0.5 * (torch.tensor(yes).sigmoid().log() + (1 - torch.tensor(no).sigmoid()).log()).item()
    assert got.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["avoid=whole"], "loss=cross_entropy draws none"),
        (["avoid=training", "loss=gbce"], r"share their negatives\. Use loss\.shared=false"),
        (["avoid=training", "loss=bce", "loss.source=batch"], "share their negatives"),
    ],
)
def test_what_it_does_not_go_with(words, message) -> None:
    with pytest.raises(UserError, match=message):
        check_compatible(compose(["data=simulated", *words]))
