"""Collapse of a gate: gates whose state is known are called by their names, a gate at work is not.

Shape legend: N positions, D width.
"""

from __future__ import annotations

import numpy as np
import pytest

from research.fusion.collapse import branch_correlation, collapse
from research.fusion.moments import Moments, correlation_of

RANDOM = np.random.default_rng(0)
LONG_ND, SHORT_ND = RANDOM.normal(size=(2, 500, 8))
AT_WORK_N = RANDOM.uniform(0.1, 0.9, size=500)


def alarms(weight_N, long_ND=LONG_ND, short_ND=SHORT_ND) -> list[str]:
    return [alarm.split(":")[0] for alarm in collapse(weight_N, branch_correlation(long_ND, short_ND)).alarms()]


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
        found = collapse(weight_N, branch_correlation(LONG_ND, SHORT_ND))
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


class TestMoments:
    """Block by block, against whole arrays."""

    @staticmethod
    def in_blocks(long_ND, short_ND, cuts: list[int]) -> float | None:
        pairs = zip(np.split(long_ND, cuts), np.split(short_ND, cuts), strict=True)
        return correlation_of({-i: Moments.of(*pair) for i, pair in enumerate(pairs)})

    @pytest.mark.parametrize("cuts", [[], [1], [250], [1, 2, 3, 499], list(range(1, 500)), [7, 130, 131, 400]])
    @pytest.mark.parametrize("offset", [0, 3, 1e4])
    def test_any_cut_gives_what_the_whole_gives(self, cuts: list[int], offset: float) -> None:
        """Means far from zero, and two halves far from each other: what cancels must not be lost."""
        steps_N1 = offset * np.repeat([0, 1], 250)[:, None]
        for long_ND, short_ND in ((LONG_ND + offset, SHORT_ND - offset), (LONG_ND + steps_N1, SHORT_ND + steps_N1)):
            got = self.in_blocks(long_ND, short_ND, cuts)
            centred = [(state_ND - state_ND.mean(0)).ravel() for state_ND in (long_ND, short_ND)]
            assert got == pytest.approx(np.corrcoef(*centred)[0, 1], abs=1e-9)
            assert got == pytest.approx(branch_correlation(long_ND, short_ND), abs=1e-9)

    def test_numbers_by_hand(self) -> None:
        one, other = (
            Moments.of(np.array([[0.0], [2]]), np.array([[1.0], [1]])),
            Moments.of(np.array([[4.0]]), np.array([[4.0]])),
        )
        both = one + other
        assert (both.n, both.long_D.tolist(), both.short_D.tolist()) == (3, [2.0], [2.0])
        assert (both.long, both.short, both.both) == (8.0, 6.0, 6.0)
        assert both.correlation == pytest.approx(6 / np.sqrt(48))

    def test_the_order_in_which_blocks_arrive_plays_no_part(self) -> None:
        blocks = {i: Moments.of(LONG_ND[i : i + 7], SHORT_ND[i : i + 7]) for i in range(0, 500, 7)}
        turned = {key: blocks[key] for key in reversed(blocks)}
        assert correlation_of(turned) == correlation_of(blocks), "to the last bit"

    def test_single_precision_is_summed_in_double(self) -> None:
        long_ND, short_ND = (LONG_ND + 1e3).astype(np.float32), (SHORT_ND + LONG_ND + 1e3).astype(np.float32)
        assert self.in_blocks(long_ND, short_ND, [100, 300]) == pytest.approx(branch_correlation(long_ND, short_ND))

    def test_a_state_that_never_changes_has_no_correlation(self) -> None:
        assert self.in_blocks(LONG_ND, np.full_like(SHORT_ND, 0.1), [7, 130, 131]) is None
        assert self.in_blocks(np.zeros_like(LONG_ND), SHORT_ND, [7, 130]) is None
        assert self.in_blocks(np.repeat([[0.1] * 8, [0.2] * 8], 250, axis=0), LONG_ND, [250]) is not None

    def test_no_blocks(self) -> None:
        assert correlation_of({}) is None


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
        (alarm,) = collapse(weight_N, branch_correlation(LONG_ND, SHORT_ND)).alarms()
        assert alarm.startswith(f"saturated gate: at 96% of positions the {branch} branch")
        weight_N[:30] = 0.5  # 94 %
        assert alarms(weight_N) == []

    def test_one_branch_twice(self) -> None:
        assert alarms(AT_WORK_N, LONG_ND, LONG_ND + 0.1 * SHORT_ND) == ["one branch twice"]
        assert alarms(AT_WORK_N, LONG_ND, LONG_ND + SHORT_ND) == []

    def test_all_at_once(self) -> None:
        assert alarms(np.ones(500), LONG_ND, LONG_ND) == ["constant gate", "saturated gate", "one branch twice"]
