"""A study: a question, the axes that vary, the seeds, and the arm that the others are compared with.

question: Does a gate beat a plain sum?
set: [data=ml-100k, window.k=5]          # overrides of every arm
axes:                                    # any configuration key; the grid is their product
  fusion: [sum, gated]
  window.k: {from: 5, to: 20, step: 5}   # a range, both ends included; or times: 2 for 5, 10, 20
  data: {films: [data=ml-1m, width=64], places: [data=gowalla]}  # or some overrides under a name
exclude:                                 # points of the grid that are left out: research/studies/axes.py
  - {fusion: sum, window.k: [15, 20]}    # those that have all of these values; a list: any of them
arms: {wide: [width=128, encoder@long=gru]}  # an axis called "arm", each value some overrides under a name
baselines: [popularity, ease]            # rows without training
seeds: [1, 2, 3]
metrics: [recall@10, ndcg@10]
baseline: {fusion: sum}
tune: {trials: 6, space: {...}}          # every arm with the same budget: research/tuning/budget.py
claims: [gated > sum on ndcg@10]         # what the study is to decide: research/statistics/declared.py
family: holm                             # or benjamini_hochberg

The protocol needs no key of its own: ``set: [split=global_temporal]`` gives it to every arm, an axis
``split: [leave_one_out, global_temporal]`` compares two, and each table's footer states it. Rows without training stand
under each data set and each protocol of the axes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from research.config import option_file, options
from research.errors import UserError
from research.metrics.ranking import parse
from research.schema import nearest
from research.spelling import plain
from research.statistics.declared import possible_names, read_claims
from research.studies.axes import Point, is_bundled, matches, points, read_axis, read_exclude, read_words
from research.tuning.budget import Tune, read_tune

ARM = "arm"
"""The axis whose values are the names of ``arms``."""
PROTOCOL = ("data", "selection", "split", "evaluation")
"""What decides which queries there are and how they are ranked."""


@dataclass(frozen=True)
class Study:
    """What a study file says, checked; ranges are written out."""

    name: str
    question: str
    axes: dict[str, list[Any]]
    seeds: list[int]
    set: list[str] = field(default_factory=list)
    baselines: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=lambda: ["recall@10", "ndcg@10", "mrr@10"])
    baseline: dict[str, Any] = field(default_factory=dict)
    arms: dict[str, list[str]] = field(default_factory=dict)
    exclude: list[dict[str, list[str]]] = field(default_factory=list)
    tune: Tune | None = None
    claims: list[str] = field(default_factory=list)
    family: str = "holm"
    bundles: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Of the axes whose values are names: the words that each stands for."""

    @property
    def all_axes(self) -> dict[str, list[Any]]:
        """The axes, the named arms first."""
        return {**({ARM: list(self.arms)} if self.arms else {}), **self.axes}

    @property
    def points(self) -> list[Point]:
        """The grid without what is excluded."""
        return points(self.all_axes, self.exclude)

    @property
    def named(self) -> dict[str, dict[str, list[str]]]:
        """All axes whose values are names, the arms among them."""
        return {
            **({ARM: {plain(name): words for name, words in self.arms.items()}} if self.arms else {}),
            **self.bundles,
        }

    def words(self, axis: str, value: str) -> list[str]:
        """What a value of an axis adds to a run's overrides."""
        return self.named[axis][value] if axis in self.named else [f"{axis}={value}"]

    @property
    def protocols(self) -> list[list[str]]:
        """The words of each data set and protocol that the axes name, once; one empty list where they name none."""
        axes = [axis for axis, values in self.axes.items() if any(map(_of_protocol, self._all_words(axis, values)))]
        found = [[word for axis in axes for word in self.words(axis, point[axis])] for point in self.points]
        return [list(words) for words in dict.fromkeys(map(tuple, found))]

    def _all_words(self, axis: str, values: list[Any]) -> list[str]:
        return [word for value in values for word in self.words(axis, plain(value))]


def _of_protocol(word: str) -> bool:
    return word.lstrip("+~").partition("=")[0].partition(".")[0] in PROTOCOL


def read_study_file(name: str) -> Study:
    """Read ``configs/study/<name>.yaml``, or a file by its path.

    Raises:
        UserError: no such study, or a key that a study does not have, or one that is missing or malformed.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else option_file("study", name)
    if not path.is_file():
        known = options("study")
        near = get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UserError(f"There is no study {name!r}. Known: {', '.join(known)}, or give the path of a file.{hint}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not readable YAML: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: a study is a mapping with the keys question, axes and seeds.")
    known = [f.name for f in fields(Study) if f.name not in ("name", "bundles")]
    for key in content:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UserError(f"{path}: a study has no key {key!r}. Known: {', '.join(known)}.{hint}")
    kinds = {
        "question": str,
        "axes": dict,
        "seeds": list,
        "set": list,
        "baselines": list,
        "metrics": list,
        "baseline": dict,
        "arms": dict,
        "exclude": list,
        "tune": dict,
        "claims": list,
        "family": str,
    }
    for key, kind in kinds.items():
        if key in ("question", "seeds") and key not in content:
            raise UserError(f"{path}: a study needs {key!r}.")
        if key in content and not isinstance(content[key], kind):
            raise UserError(f"{path}: {key!r} should be a {kind.__name__}.")
    if "axes" not in content and not content.get("arms"):
        raise UserError(f"{path}: a study needs 'axes' or 'arms'.")
    tune = read_tune(content["tune"], str(path)) if "tune" in content else None
    said_axes = content.get("axes", {})
    bundles = {
        key: read_words(said, f"axis {key!r}:", str(path)) for key, said in said_axes.items() if is_bundled(said)
    }
    axes = {
        key: list(bundles[key]) if key in bundles else read_axis(key, said, str(path))
        for key, said in said_axes.items()
    }
    named = {ARM: list(read_words(content["arms"], "arm", str(path)))} if content.get("arms") else {}
    exclude = read_exclude(content.get("exclude", []), {**named, **axes}, str(path))
    study = Study(name=path.stem, **{**content, "axes": axes, "tune": tune, "exclude": exclude, "bundles": bundles})
    for metric in study.metrics:
        parse(metric)
    if not all(isinstance(s, int) and not isinstance(s, bool) and s >= 0 for s in study.seeds) or not study.seeds:
        raise UserError(f"{path}: 'seeds' should be a list of whole numbers, such as [1, 2, 3].")
    if study.arms and ARM in study.axes:
        raise UserError(f"{path}: the axis 'arm' is made of 'arms'; leave it out of 'axes'.")
    axes = study.all_axes
    if bad := [key for key in study.baseline if key not in axes]:
        raise UserError(f"{path}: 'baseline' names {bad[0]!r}, which is not an axis. Axes: {', '.join(axes)}.")
    for key, value in study.baseline.items():
        values, value = [plain(each) for each in axes[key]], plain(value)
        if value not in values:
            raise UserError(f"{path}: 'baseline': {key!r} has no value {value!r}.{nearest(value, values)}")
    compared = {key: [plain(value)] for key, value in study.baseline.items()}
    if not any(matches(point, compared) for point in study.points):
        raise UserError(f"{path}: 'exclude' leaves out the baseline arm, with which the others are compared.")
    read_claims(content, possible_names(axes, study.baselines), str(path))
    return study
