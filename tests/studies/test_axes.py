"""Ranges are written out, and what is excluded is left out, exactly."""

from __future__ import annotations

import pytest

from research.errors import UserError
from research.studies.axes import points, read_axis, read_exclude

AXES = {"fusion": ["sum", "gated"], "window.k": [5, 10, 15], "overlap": [True, False]}


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ([5, "x", None], [5, "x", None]),
        ({"from": 5, "to": 20, "step": 5}, [5, 10, 15, 20]),
        ({"from": 5, "to": 19, "step": 5}, [5, 10, 15]),
        ({"from": 3, "to": 3, "step": 1}, [3]),
        ({"from": 0.1, "to": 0.3, "step": 0.1}, [0.1, 0.2, 0.3]),
        ({"from": 1.0, "to": 2, "step": 1}, [1.0, 2.0]),
        ({"from": 16, "to": 128, "times": 2}, [16, 32, 64, 128]),
        ({"from": 1, "to": 3, "times": 1.5}, [1.0, 1.5, 2.25]),
        ({"from": "1e-4", "to": 0.1, "times": 10}, [0.0001, 0.001, 0.01, 0.1]),
    ],
)
def test_values(said, values):
    assert repr(read_axis("key", said, "s.yaml")) == repr(values), "5 is not 5.0"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ([], "'key' should be a list of values"),
        (5, "'key' should be a list of values"),
        ({"from": 5, "to": 20}, "either 'step' or 'times'.*here: from, to"),
        ({"from": 5, "to": 20, "step": 5, "times": 2}, "either 'step' or 'times'"),
        ({"from": 5, "to": 20, "step": 0}, "'step' should be above 0"),
        ({"from": 5, "to": 4, "step": 1}, "'to' at least 'from'"),
        ({"from": 5, "to": 20, "times": 1}, "'times' should be above 1"),
        ({"from": 0, "to": 20, "times": 2}, "'from' above 0"),
        ({"from": "low", "to": 20, "step": 2}, "'from' should be a number; got 'low'"),
        ({"from": 1, "to": ".inf", "step": 2}, "'to' should be a number"),
        ({"from": True, "to": 20, "step": 2}, "'from' should be a number"),
        ({"from": 0, "to": 1, "step": 0.0001}, "more than 1000 values"),
    ],
)
def test_a_wrong_axis_says_what(said, message):
    with pytest.raises(UserError, match=message):
        read_axis("key", said, "s.yaml")


def test_excluded_points_are_those_with_all_of_the_values():
    """Against a loop that asks for each point."""
    said = [{"fusion": "gated", "overlap": False}, {"window.k": [10, 15], "fusion": "sum"}]
    kept = points(AXES, read_exclude(said, AXES, "s.yaml"))
    expected = []
    for fusion in ("sum", "gated"):
        for k in (5, 10, 15):
            for overlap in (True, False):
                if fusion == "gated" and not overlap:
                    continue
                if fusion == "sum" and k in (10, 15):
                    continue
                expected.append({"fusion": fusion, "window.k": str(k), "overlap": str(overlap).lower()})
    assert kept == expected and len(kept) == 5
    assert len(points(AXES, [])) == 12


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["gated"], "should be a mapping"),
        ([{}], "should be a mapping"),
        ([{"fusoin": "sum"}], "no axis 'fusoin'. Axes: fusion, window.k, overlap. Did you mean 'fusion'"),
        ([{"fusion": "gate"}], "no value 'gate'. Its values: sum, gated. Did you mean 'gated'"),
        ([{"window.k": [5, 6]}], "no value '6'"),
        ([{"fusion": "sum"}, {"fusion": "sum", "window.k": 5}], "leaves out no point that the lines before"),
        ([{"fusion": ["sum", "gated"]}], "leaves nothing of the grid"),
    ],
)
def test_a_wrong_exclude_says_what(said, message):
    with pytest.raises(UserError, match=message):
        read_exclude(said, AXES, "s.yaml")
