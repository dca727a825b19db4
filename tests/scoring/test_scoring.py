"""Scorings: the scores that losses and rankings see, against torch's own cosine.

Shape legend: N positions, D width, I items.
"""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from research.errors import UserError
from research.evaluation.dot_ranks import Catalogue, count_better_fused
from research.fusion.base import Fused, Fusion
from research.items.ids import Ids
from research.losses.bce import BCE
from research.losses.cross_entropy import CrossEntropy
from research.scoring.base import ScoredFusion, ScoredItems
from research.scoring.cosine import Cosine
from research.scoring.dot import Dot
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")

N, D, N_ITEMS = 5, 4, 8
H_ND = torch.randn(N, D, generator=torch.Generator().manual_seed(0))
TARGET_N = torch.tensor([0, 3, 3, 7, 1])


class Given(Fusion):
    """A fusion whose interests are given."""

    def forward(self, views) -> Fused:
        return Fused(H_ND, None)


def table() -> Ids:
    torch.manual_seed(1)
    return Ids(Sizes(D, n_items=N_ITEMS), std=1.0)


def cosine_NI(items: Ids) -> torch.Tensor:
    return torch.stack([F.cosine_similarity(h[None], items.table.weight[1:-1]) for h in H_ND])


def fused_by(scoring) -> Fused:
    return ScoredFusion(Given(), scoring)(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("kernel", ["fused", "portable"])
def test_cross_entropy_of_cosines(kernel) -> None:
    scoring, items = Cosine(temperature=0.2), table()
    loss = CrossEntropy(torch.ones(N_ITEMS), kernel=kernel, precision="fp32")
    got = loss(fused_by(scoring), TARGET_N, ScoredItems(items, scoring))
    expected = F.cross_entropy(cosine_NI(items) / 0.2, TARGET_N, reduction="sum")
    torch.testing.assert_close(got, expected)
    one, other = (torch.autograd.grad(x, items.table.weight)[0] for x in (got, expected))
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_drawn_items_are_scored_in_the_same_way() -> None:
    scoring, items = Cosine(temperature=0.2), table()
    loss = BCE(torch.ones(N_ITEMS), negatives=1, shared=True)
    loss.draw.forward = lambda shape, target_N: torch.tensor([5])  # type: ignore[method-assign]
    score_NI = cosine_NI(items) / 0.2
    expected = (F.softplus(-score_NI[range(N), TARGET_N]) + F.softplus(score_NI[:, 5])).sum() / 2
    torch.testing.assert_close(loss(fused_by(scoring), TARGET_N, ScoredItems(items, scoring)), expected)


def test_items_rank_by_cosine() -> None:
    scoring, items = Cosine(), table()
    with torch.no_grad():
        items.table.weight[4] *= 100  # a long vector is no better
        none = torch.zeros(0, dtype=torch.int64)
        catalogue = Catalogue(ScoredItems(items, scoring).candidates())
        better_N, _, _ = count_better_fused(fused_by(scoring), catalogue, TARGET_N, none, none)
        score_NI = cosine_NI(items)
    assert better_N.tolist() == [int((score_NI[n] > score_NI[n, t]).sum()) for n, t in enumerate(TARGET_N)]


def test_what_is_read_is_not_changed() -> None:
    items = table()
    scored = ScoredItems(items, Cosine())
    assert torch.equal(scored(torch.tensor([1, 2])), items.table.weight[1:3])
    assert scored.mask_token == items.mask_token and scored.n_items == N_ITEMS


def test_a_temperature_divides_dot_products() -> None:
    items = table()
    got = CrossEntropy(torch.ones(N_ITEMS), kernel="portable")(
        fused_by(Dot(temperature=0.5)), TARGET_N, ScoredItems(items, Dot(temperature=0.5))
    )
    expected = F.cross_entropy(2 * H_ND @ items.candidates().T, TARGET_N, reduction="sum")
    torch.testing.assert_close(got, expected)


def test_scores_that_are_no_dot_products_are_refused() -> None:
    class ByCandidate(Fused):
        dot = False

    class Other(Fusion):
        def forward(self, views) -> Fused:
            return ByCandidate(H_ND, None)

    with pytest.raises(UserError, match="scoring=null"):
        ScoredFusion(Other(), Cosine())(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [Cosine, Dot])
def test_wrong_settings(kind) -> None:
    with pytest.raises(UserError, match=r"scoring\.temperature=0"):
        kind(temperature=0)
