"""The mean over users: sums merge exactly, an average of averages would not."""

from __future__ import annotations

import pytest
import torch

from research.errors import UserError
from research.metrics.mean import MeanMetric

BETTER, TIES = torch.tensor([0, 2, 6, 20, 0, 1]), torch.tensor([0, 0, 0, 0, 1, 0])
# NDCG@10: 1, 1/2, 1/3, 0, (1 + 1/log2(3)) / 2, 1/log2(3)
VALUES = [1.0, 0.5, 1 / 3, 0.0, (1 + 0.6309297535714575) / 2, 0.6309297535714575]


def mean_of(*parts: slice) -> MeanMetric:
    metric = MeanMetric("ndcg@10")
    for part in parts:
        metric.update(BETTER[part], TIES[part])
    return metric


def test_by_hand() -> None:
    assert float(mean_of(slice(None)).compute()) == pytest.approx(sum(VALUES) / 6, abs=1e-15)


def test_two_unequal_parts_merged_are_the_whole() -> None:
    first, second = mean_of(slice(0, 1)), mean_of(slice(1, 6))
    first.merge_state(second)
    assert float(first.compute()) == pytest.approx(sum(VALUES) / 6, abs=1e-15)
    average_of_averages = (VALUES[0] + sum(VALUES[1:]) / 5) / 2
    assert abs(average_of_averages - sum(VALUES) / 6) > 0.1, "else this example could not tell the two apart"


def test_batches_of_any_size_are_the_whole() -> None:
    batches = mean_of(*(slice(i, i + 1) for i in range(6)))
    assert float(batches.compute()) == pytest.approx(sum(VALUES) / 6, abs=1e-15)


def test_processes_add_both_states() -> None:
    assert {name: fn.__name__ for name, fn in MeanMetric("mrr@5")._reductions.items()} == {  # type: ignore[union-attr]
        "total": "dim_zero_sum",
        "count": "dim_zero_sum",
    }


def test_a_cast_of_the_module_takes_no_digits() -> None:
    holder = torch.nn.ModuleList([mean_of(slice(None))]).half()
    assert holder[0].total.dtype == torch.float64  # type: ignore[union-attr]
    assert float(holder[0].compute()) == pytest.approx(sum(VALUES) / 6, abs=1e-15)  # type: ignore[operator]


def test_reset_forgets() -> None:
    metric = mean_of(slice(None))
    metric.reset()
    with pytest.warns(UserWarning, match="before the ``update``"):
        assert torch.isnan(metric.compute()), "no users, no mean"
    metric.update(BETTER[:1], TIES[:1])
    assert float(metric.compute()) == 1.0


def test_an_unknown_name_is_refused_at_once() -> None:
    with pytest.raises(UserError, match="'ndgc@10'"):
        MeanMetric("ndgc@10")
