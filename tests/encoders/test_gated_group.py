"""HGN's gates against a plain loop over the items of each group."""

from __future__ import annotations

import pytest
import torch

from research.encoders.gated_group import GatedGroup
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("item_item", [True, False])
@pytest.mark.parametrize("items", [1, 3, 9])
def test_gates(ragged, shaken, same_by_prefix, items: int, item_item: bool) -> None:
    encoder = shaken(GatedGroup(Sizes(6, 7, n_users=3), items=items, item_item=item_item))

    def naive(x_LD, time_L, user):
        u = encoder.users.weight[user] * 6**0.5
        group = list(x_LD[-items:] * 6**0.5)
        above = below = torch.zeros(6, dtype=torch.float64)
        for place, x in enumerate(group):
            feature = torch.sigmoid(encoder.feature.weight @ x + encoder.feature.bias + encoder.feature_user.weight @ u)
            slot = items - len(group) + place  # the latest item is in the last slot
            gate = torch.sigmoid(encoder.instance.weight[0] @ (x * feature) + encoder.instance_user.weight[slot] @ u)
            above, below = above + gate * x * feature, below + gate
        return above / below + (sum(group) if item_item else 0)

    same_by_prefix(encoder, ragged, naive)


def test_padding_before_the_row_gives_finite_gradients(ragged) -> None:
    encoder = GatedGroup(Sizes(6, 7, n_users=3), items=5).double()
    encoder.encode(ragged)[ragged.real_BT].square().sum().backward()
    assert all(torch.isfinite(weight.grad).all() and weight.grad.any() for weight in encoder.parameters())  # type: ignore[union-attr]


def test_gates_that_are_shut_to_within_rounding_still_share(ragged) -> None:
    encoder = GatedGroup(Sizes(6, 7, n_users=3), items=5, dropout=0.0).double()
    with torch.no_grad():
        encoder.instance.weight.zero_()
        encoder.instance_user.weight.fill_(-1.0)
        encoder.users.weight.fill_(1e3)
    h_BTD = encoder.encode(ragged)[ragged.real_BT]
    h_BTD.square().sum().backward()
    assert torch.isfinite(h_BTD).all()
    assert all(torch.isfinite(weight.grad).all() for weight in encoder.parameters())  # type: ignore[union-attr]


def test_a_group_has_an_item() -> None:
    with pytest.raises(UserError, match=r"items=0"):
        GatedGroup(Sizes(6), items=0)
