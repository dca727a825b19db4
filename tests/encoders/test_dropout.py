"""Dropout from random bytes: its rate, its expectation, and that it is chance that a seed repeats."""

from __future__ import annotations

import math

import pytest
import torch

from research.encoders.dropout import Dropout
from research.errors import UserError

pytestmark = pytest.mark.usefixtures("one_thread")

N = 200_000


def dropped(rate: float, x: torch.Tensor | None = None, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return Dropout(rate).train()(torch.ones(N) if x is None else x)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
class TestExact:
    def test_rate_and_expectation(self, rate: float) -> None:
        y = dropped(rate)
        rounded = round(rate * 256) / 256
        assert abs(rounded - rate) <= 1 / 512
        spread = math.sqrt(rounded * (1 - rounded) / N)
        assert float((y == 0).double().mean()) == pytest.approx(rounded, abs=4 * spread)
        assert y[y != 0].unique().tolist() == pytest.approx([1 / (1 - rounded)])
        assert float(y.double().mean()) == pytest.approx(1.0, abs=4 * spread / (1 - rounded))

    def test_neighbours_are_independent(self, rate: float) -> None:
        zero = (dropped(rate) == 0).double()
        for step in (1, 4, 8, 64):  # within the bytes of one draw, and from draw to draw
            both = torch.corrcoef(torch.stack([zero[:-step], zero[step:]]))[0, 1]
            assert abs(float(both)) < 4 / math.sqrt(N), step

    def test_what_is_kept_is_scaled_and_so_is_its_gradient(self, rate: float) -> None:
        x = torch.randn(7, 5, 3, requires_grad=True)  # 105 values: not a multiple of eight
        y = dropped(rate, x)
        assert y.shape == x.shape and y.dtype == x.dtype
        y.sum().backward()
        scale = torch.where(y == 0, 0.0, 256 / (256 - round(rate * 256)))
        torch.testing.assert_close(y, x * scale)
        torch.testing.assert_close(x.grad, scale)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_adding_what_is_dropped_is_the_sum(dtype: torch.dtype) -> None:
    x, y = torch.randn(2, 7, 15, dtype=dtype)
    layer, results = Dropout(0.3).train(), []
    for add in (layer.add, lambda x, y: x + layer(y)):
        torch.manual_seed(3)
        a, b = x.clone().requires_grad_(), y.clone().requires_grad_()
        total = add(a, b)
        total.pow(3).sum().backward()
        results.append((total.detach(), a.grad, b.grad))
    for got, expected in zip(*results, strict=True):
        torch.testing.assert_close(got, expected)
    layer.eval()
    assert torch.equal(layer.add(x, y), x + y)


class TestBehaviour:
    def test_in_evaluation_it_is_the_identity(self) -> None:
        x = torch.randn(100)
        assert Dropout(0.5).eval()(x) is x
        assert dropped(0.0, x) is x

    def test_draws_differ_and_a_seed_repeats_them(self) -> None:
        layer = Dropout(0.5).train()
        torch.manual_seed(0)
        first, second = layer(torch.ones(1000)), layer(torch.ones(1000))
        assert not torch.equal(first, second)
        assert torch.equal(dropped(0.5, torch.ones(1000)), first)
        assert not torch.equal(dropped(0.5, torch.ones(1000), seed=1), first)

    def test_one_mask_says_nothing_of_the_next(self) -> None:
        torch.manual_seed(0)
        layer = Dropout(0.5).train()
        masks = torch.stack([layer(torch.ones(64)) for _ in range(2000)])
        found = torch.corrcoef(torch.cat([masks[:-1], masks[1:]], dim=1).t())
        found.fill_diagonal_(0)
        assert float(found.abs().max()) < 5.5 / math.sqrt(len(masks)), "8,128 pairs of values"

    def test_precision_is_kept(self) -> None:
        assert dropped(0.5, torch.ones(9, dtype=torch.bfloat16)).dtype == torch.bfloat16
        assert dropped(0.5, torch.ones(9, dtype=torch.float64)).dtype == torch.float64

    def test_the_highest_rates_still_keep_something(self) -> None:
        y = dropped(0.999)
        assert torch.isfinite(y).all() and (y == 0).double().mean() > 0.99
        assert float(y.mean()) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("rate", [1.0, 1.5, -0.1])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(UserError, match=rf"dropout={rate}"):
        Dropout(rate)
