"""Collapse of a gate: gates whose state is known are called by their names, a gate at work is not.

Shape legend: N positions, D width.
"""

from __future__ import annotations

import numpy as np
import pytest

from research.fusion.collapse import branch_correlation, collapse

RANDOM = np.random.default_rng(0)
LONG_ND, SHORT_ND = RANDOM.normal(size=(2, 500, 8))
AT_WORK_N = RANDOM.uniform(0.1, 0.9, size=500)


def alarms(weight_N, long_ND=LONG_ND, short_ND=SHORT_ND) -> list[str]:
    return [alarm.split(":")[0] for alarm in collapse(weight_N, long_ND, short_ND).alarms()]


class TestExact:
    def test_numbers_by_hand(self) -> None:
        found = collapse(np.array([0.0, 0.04, 0.96, 1.0, 0.5]))
        assert found.long_mean == pytest.approx(0.5)
        assert found.long_deviation == pytest.approx(np.sqrt((0.25 + 0.46**2 + 0.46**2 + 0.25 + 0) / 5))
        assert (found.to_long, found.to_short) == (0.4, 0.4)
        assert found.correlation is None

    def test_positions_without_a_weight_are_left_out(self) -> None:
        found = collapse(np.array([np.nan, 0.2, np.nan, 0.4], dtype=np.float32))
        assert found.long_mean == pytest.approx(0.3) and found.long_deviation == pytest.approx(0.1)

    @pytest.mark.parametrize("weight_N", [None, np.array([]), np.full(3, np.nan)])
    def test_no_weights_at_all(self, weight_N) -> None:
        found = collapse(weight_N, LONG_ND, SHORT_ND)
        assert (found.long_mean, found.long_deviation, found.to_long, found.to_short) == (None,) * 4
        assert found.correlation is not None and found.alarms() == []

    def test_correlation_is_that_of_centred_states(self) -> None:
        centred = [(s - s.mean(0)).ravel() for s in (LONG_ND + 3, 2 * SHORT_ND + LONG_ND)]
        got = branch_correlation(LONG_ND + 3, 2 * SHORT_ND + LONG_ND)
        assert got == pytest.approx(np.corrcoef(*centred)[0, 1], abs=1e-12)

    def test_correlation_of_known_pairs(self) -> None:
        assert branch_correlation(LONG_ND, 3 * LONG_ND + np.arange(8)) == pytest.approx(1)
        assert branch_correlation(LONG_ND, -LONG_ND) == pytest.approx(-1)
        assert branch_correlation(LONG_ND, SHORT_ND) == pytest.approx(0, abs=0.1)
        assert branch_correlation(LONG_ND, LONG_ND[:, ::-1]) == pytest.approx(0, abs=0.1)  # a rotation is another state

    def test_a_state_that_never_changes_has_no_correlation(self) -> None:
        assert branch_correlation(LONG_ND, np.full_like(SHORT_ND, 0.1)) is None
        assert branch_correlation(np.zeros_like(LONG_ND), SHORT_ND) is None


class TestAlarms:
    def test_a_gate_at_work_is_silent(self) -> None:
        assert alarms(AT_WORK_N) == []

    def test_a_gate_that_routes_hard_to_both_branches_is_silent(self) -> None:
        assert alarms((RANDOM.random(500) < 0.5).astype(float)) == []

    @pytest.mark.parametrize("level", [0.2, 0.5, 0.8])
    def test_constant(self, level: float) -> None:
        assert alarms(level + 0.001 * RANDOM.normal(size=500)) == ["constant gate"]
        assert alarms(level + 0.05 * RANDOM.normal(size=500)) == []

    @pytest.mark.parametrize(("level", "branch"), [(0.0, "short"), (1.0, "long")])
    def test_saturated(self, level: float, branch: str) -> None:
        weight_N = np.full(500, level)
        weight_N[:20] = 0.5  # 96 % of positions
        (alarm,) = collapse(weight_N, LONG_ND, SHORT_ND).alarms()
        assert alarm.startswith(f"saturated gate: at 96% of positions the {branch} branch")
        weight_N[:30] = 0.5  # 94 %
        assert alarms(weight_N) == []

    def test_one_branch_twice(self) -> None:
        assert alarms(AT_WORK_N, LONG_ND, LONG_ND + 0.1 * SHORT_ND) == ["one branch twice"]
        assert alarms(AT_WORK_N, LONG_ND, LONG_ND + SHORT_ND) == []

    def test_all_at_once(self) -> None:
        assert alarms(np.ones(500), LONG_ND, LONG_ND) == ["constant gate", "saturated gate", "one branch twice"]
