"""Branch dropout: which branch is hidden, how often, for whom, and never in a test.

Shape legend: B rows, N asked positions, D width.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from research.branch_dropout import BranchDropout, HidingFusion
from research.data.batch import Positions
from research.encoders.gru import GRU
from research.encoders.rows import Rows
from research.errors import UserError
from research.fusion.base import Fused, Fusion
from research.sizes import Sizes
from research.views import Views

pytestmark = pytest.mark.usefixtures("one_thread")

D, B = 4, 600
SIZES = Sizes(D, 5, n_items=9)


class Seen(Fusion):
    """Keeps what it was shown."""

    def forward(self, views: Views) -> Fused:
        initial_ND = views.long_ND
        self.shown = {
            "long": views.long_ND,
            "short": views.short_ND,
            "before": views.before_ND,
            "everywhere": views.long_BTD,
            "twin": views.twin_ND,
            "from": views.short_from(initial_ND),
            "window": views.window[0],
        }
        self.whole = views
        return Fused(views.long_ND + views.short_ND, None)


@pytest.fixture
def views(make_batch) -> Views:
    batch = make_batch([[1 + (b + t) % 9 for t in range(3)] for b in range(B)])
    torch.manual_seed(0)
    rows = Rows(torch.randn(B, 3, D), batch.length_B, batch.times_BT, batch.users_B)
    at = Positions.where(batch.items_BT > 0)
    start_N = (at.position_N - 1).clamp(min=0)
    return Views(rows, batch, at, long=GRU(SIZES).eval(), short=GRU(SIZES).eval(), start_N=start_N)


@pytest.mark.parametrize(("long", "short"), [(0.5, 0.0), (0.2, 0.3), (0.0, 1.0), (0.6, 0.4)])
def test_how_often_and_never_both(views: Views, long: float, short: float) -> None:
    torch.manual_seed(1)
    seen = Seen()
    HidingFusion(seen, BranchDropout(long=long, short=short))(views)
    gone_N = {name: (seen.shown[name] == 0).all(1) for name in ("long", "short")}
    by_row = {name: gone.view(B, 3) for name, gone in gone_N.items()}
    for name, rate in (("long", long), ("short", short)):
        assert (by_row[name] == by_row[name][:, :1]).all(), "one draw a history"
        assert abs(int(by_row[name][:, 0].sum()) - rate * B) <= 4 * np.sqrt(rate * (1 - rate) * B)
        whole = views.long_ND if name == "long" else views.short_ND
        assert torch.equal(seen.shown[name][~gone_N[name]], whole[~gone_N[name]]), "nothing is scaled up"
    assert not (gone_N["long"] & gone_N["short"]).any()
    gone_B = by_row["long"][:, 0]
    assert torch.equal(seen.shown["before"], views.before_ND * ~gone_N["long"][:, None])
    assert torch.equal(seen.shown["everywhere"], views.long_BTD * ~gone_B[:, None, None])
    assert torch.equal(seen.shown["twin"], views.twin_ND * ~gone_N["long"][:, None])
    expected_ND = views.short_from(views.long_ND * ~gone_N["long"][:, None]) * ~gone_N["short"][:, None]
    torch.testing.assert_close(seen.shown["from"], expected_ND)
    assert torch.equal(seen.shown["window"], views.window[0])


def test_a_test_sees_both(views: Views) -> None:
    seen = Seen()
    HidingFusion(seen, BranchDropout(long=1.0)).eval()(views)
    assert seen.whole is views


def test_no_rate_changes_nothing(views: Views) -> None:
    fused = HidingFusion(Seen(), BranchDropout(long=0.0, short=0.0))(views)
    assert torch.equal(fused.interest_ND, views.long_ND + views.short_ND)


@pytest.mark.parametrize(("long", "short"), [(-0.1, 0.0), (0.0, -0.1), (0.6, 0.5)])
def test_wrong_rates(long: float, short: float) -> None:
    with pytest.raises(UserError, match=rf"branch_dropout\.long={long}"):
        BranchDropout(long=long, short=short)
