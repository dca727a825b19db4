"""The distance of a user's two vectors against a loop over positions; which encoders have such vectors.

Shape legend: D width.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from research.auxiliary.user_discrepancy import UserDiscrepancy
from research.config import compose
from research.data.batch import Positions
from research.data.split import LeaveOneOut
from research.encoders.attention_pool import AttentionPool
from research.encoders.base import Encoder
from research.encoders.evolving_query import EvolvingQuery
from research.encoders.gru import GRU
from research.encoders.user import User
from research.errors import UserError
from research.fusion.base import Fused
from research.objectives.base import Supervised
from research.sizes import Sizes
from research.training.assemble import assemble
from research.training.data import HistoryData

pytestmark = pytest.mark.usefixtures("one_thread")

D = 4
SIZES = Sizes(D, 8, n_items=6, n_users=5)
WITH_USERS = {
    "user": lambda: User(SIZES),
    "attention_pool": lambda: AttentionPool(SIZES, query="user"),
    "evolving_query": lambda: EvolvingQuery(SIZES),
}


def value(term: UserDiscrepancy, batch, at: Positions, long: Encoder | None, short: Encoder | None) -> torch.Tensor:
    views: Any = SimpleNamespace(batch=batch, at=at, long=long, short=short)
    nothing: Any = None
    return term(views, Fused(torch.zeros(len(at), D), None), Supervised(batch, at, nothing), nothing)


@pytest.fixture
def batch(make_batch):
    """The users 0, 3 and 1."""
    made = make_batch([[1, 2, 3, 4], [5], [6, 5, 3]])
    made.users_B.copy_(torch.tensor([0, 3, 1]))
    return made


@pytest.mark.parametrize(("long", "short"), [("user", "evolving_query"), ("attention_pool", "user")])
def test_a_loop(batch, long: str, short: str) -> None:
    torch.manual_seed(0)
    encoders = [WITH_USERS[name]().double() for name in (long, short)]
    tables = [encoder.user_table for encoder in encoders]
    for table in tables:
        torch.nn.init.normal_(table)
    at = Positions(torch.tensor([0, 0, 0, 2]), torch.tensor([0, 1, 3, 2]))  # the second user is not asked for
    expected = 0.0
    for user in (0, 0, 0, 1):
        one, other = (table[user].tolist() for table in tables)
        expected -= 0.3 * sum((x - y) ** 2 for x, y in zip(one, other, strict=True)) / D
    got = value(UserDiscrepancy(SIZES, weight=0.3), batch, at, *encoders)
    assert got.item() == pytest.approx(expected, rel=1e-12)
    got.backward()
    for table in tables:
        assert table.grad.any(1).tolist() == [True, True, False, False, False]
    # Downhill is apart.
    one, other = (table.detach() - 0.1 * table.grad for table in tables)
    before, after = tables[0][0] - tables[1][0], one[0] - other[0]
    assert after.norm() > before.norm()


@pytest.mark.parametrize("view", ["long", "short"])
@pytest.mark.parametrize("without", [None, GRU(SIZES), AttentionPool(SIZES, query="learned")])
def test_an_arm_without_users_is_named(batch, view: str, without: Encoder | None) -> None:
    encoders: dict[str, Encoder | None] = {"long": User(SIZES), "short": User(SIZES), view: without}
    with pytest.raises(UserError, match=rf"encoder@{view} keeps none.*encoder@{view}=user.*{view}\.query=user"):
        value(UserDiscrepancy(SIZES), batch, Positions.last(batch.length_B), **encoders)


def test_a_weight_that_is_none() -> None:
    with pytest.raises(UserError, match=r"user_discrepancy\.weight=0"):
        UserDiscrepancy(SIZES, weight=0)


def test_in_a_model(simulated) -> None:
    """CLSR's two tables take the term's gradient, and a Transformer has none to take."""

    def term(*words: str) -> tuple:
        config = compose(["data=simulated", "width=8", "max_length=12", "auxiliary=user_discrepancy", *words])
        split = LeaveOneOut()(simulated)
        parts = assemble(config, simulated, split.train)
        data = HistoryData(simulated, split, parts.objective, max_length=12, batch_size=8, seed=1)
        supervised = next(iter(data.train_dataloader()))
        views = parts.model.views(supervised.batch, supervised.at)
        return parts.model, parts.auxiliary[0](views, parts.model.fusion(views), supervised, parts.model.items)

    model, loss = term("model=clsr")
    loss.backward()
    learns = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert learns == {"long.query.weight", "short.users.weight"}
    with pytest.raises(UserError, match="encoder@long keeps none"):
        term("encoder@long=transformer", "encoder@short=user")
