"""A fusion that should weigh each position anew and does not is remarked on; a control is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from research.training.outcome import alarms
from research.training.run import run


@pytest.mark.parametrize(("fusion", "remarked"), [("gated", True), ("weighted", False), ("long_only", False)])
def test_only_a_fusion_that_weighs_is_remarked_on(small, fusion, remarked):
    record, _ = run(small(f"fusion={fusion}", "trainer.max_epochs=1"))
    assert isinstance(record["alarms"], list)
    from research.data.load import load
    from research.evaluation.table import Ranks

    config = small(f"fusion={fusion}")
    histories, split = load(config)
    n = len(split.test)
    zeros = np.zeros(n, dtype=np.int64)
    weight_N2 = np.tile(np.array([[0.99, 0.01]], dtype=np.float32), (n, 1))
    ranks = Ranks.of_queries(histories, split.test, np.arange(n), zeros, zeros, zeros + 40, weight_B2=weight_N2)
    found = alarms(config, ranks)
    assert bool(found) is remarked
    if remarked:
        assert any("constant gate" in line for line in found) and any("saturated gate" in line for line in found)
        apart = replace(ranks, weight_long=np.linspace(0.1, 0.9, n, dtype=np.float32))
        assert alarms(config, apart) == []
