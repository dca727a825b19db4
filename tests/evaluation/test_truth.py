"""Branch weights against the truth of simulated data: that truth, the measure, and an oracle that knows the rule."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from research import cli
from research.data.prepare import to_histories
from research.data.sources.simulated import Simulated
from research.errors import UserError
from research.evaluation.truth import agreement

TINY = [
    *("data=simulated", "data.n_users=60", "data.n_items=60", "data.mean_length=10", "data.half_life_hours=24"),
    *("width=8", "max_length=20", "batch_size=16", "trainer.max_epochs=1", "trainer.threads=1"),
    *("trainer.accelerator=cpu", "logger=none"),
]
ORACLE = '''
import torch
from research.fusion.base import Fused, Fusion

class Oracle(Fusion):
    """Knows the rule of the simulation: the share halves every 24 hours since the last interaction."""
    needs_times = True

    def __init__(self, sizes, *, sign: float = 1.0) -> None:
        super().__init__()
        self.n_items, self.sign = sizes.n_items, sign

    def forward(self, views):
        share = 0.6 * 0.5 ** (views.gap_N(self.n_items).float() / 86400)
        share = share if self.sign > 0 else 1 - share
        weight = torch.stack([1 - share, share], dim=1)
        return Fused(weight[:, :1] * views.long_ND + weight[:, 1:] * views.short_ND, weight)
'''


def test_the_true_share_fades_with_the_gap() -> None:
    source = Simulated(half_life_hours=24.0, seed=5)
    h, true_N = to_histories("simulated", source.read({})), source.true_share()
    assert true_N.shape == h.items.shape
    later_N = np.ones(len(true_N), dtype=bool)
    later_N[h.offsets[:-1]] = False  # before a user's first interaction there was none
    gap = np.diff(h.times, prepend=0)[later_N]
    rule, true = 0.6 * 2.0 ** (-gap / 86_400), true_N[later_N]
    used_up = true == 0
    assert np.allclose(true[~used_up], rule[~used_up]) and used_up.mean() < 0.05
    assert np.all(true[gap < 600] >= 0.59 * ~used_up[gap < 600]) and true[gap > 5 * 86_400].max() < 0.02
    assert true_N[h.offsets[:-1]].max() < 0.6


def test_without_a_half_life_it_never_fades() -> None:
    true_N = Simulated().true_share()
    assert set(np.unique(true_N)) <= {0.0, 0.6} and (true_N == 0.6).mean() > 0.95
    with pytest.raises(UserError, match="half_life_hours"):
        Simulated(half_life_hours=0.0)


def test_a_title_tells_the_cluster() -> None:
    """Items that follow each other within minutes mostly share their genre; others do not."""
    source = Simulated(share_short=1.0)
    h = to_histories("simulated", source.read({}), source.titles({}))
    assert h.titles is not None and len(set(h.titles.tolist())) == h.n_items
    genre_N = np.array([title.partition(",")[0] for title in h.titles.tolist()])[h.items - 1]
    gap = np.diff(h.times)
    same = genre_N[1:] == genre_N[:-1]
    assert same[(gap >= 0) & (gap < 3600)].mean() > 0.9
    assert len(set(genre_N)) == 10


def test_the_measure_by_hand() -> None:
    found = agreement(np.array([0.2, 0.4, 0.9]), np.array([0.0, 0.3, 0.6]))
    # Deviations -0.3, -0.1, 0.4 and -0.3, 0, 0.3: 0.21 / sqrt(0.26 * 0.18).
    assert found.pearson == pytest.approx(0.21 / (0.26 * 0.18) ** 0.5) and found.spearman == pytest.approx(1.0)
    assert found.distance == pytest.approx(0.2) and (found.weight, found.truth) == (
        pytest.approx(0.5),
        pytest.approx(0.3),
    )
    ties = agreement(np.array([1.0, 1.0, 0.0, 0.5]), np.array([0.1, 0.2, 0.3, 0.3]))
    assert ties.spearman == pytest.approx(-4 / 4.5)  # ranks 3.5 3.5 1 2 and 1 2 3.5 3.5
    flat = agreement(np.full(3, 0.5), np.array([0.0, 0.3, 0.6]))
    assert flat.pearson is None and flat.spearman is None
    with pytest.raises(UserError, match="no weights"):
        agreement(np.array([0.2, np.nan]), np.array([0.0, 0.3]))
    with pytest.raises(UserError, match="half_life_hours"):
        agreement(np.array([0.2, 0.3]), np.array([0.6, 0.6]))


class TestCommand:
    @pytest.fixture
    def research(self, capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine/oracle.py").write_text(ORACLE)
        (tmp_path / "configs/fusion").mkdir(parents=True)
        (tmp_path / "configs/fusion/oracle.yaml").write_text("# An oracle.\n_target_: mine.oracle.Oracle\nsign: 1.0\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv("RESEARCH_TRUST", "mine")
        monkeypatch.setenv("RESEARCH_CONFIGS", str(tmp_path / "configs"))
        monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))

        def call(*words: str) -> tuple[int, str, str]:
            with pytest.raises(SystemExit) as stop:
                cli.main(list(words))
            text = capsys.readouterr()
            return int(stop.value.code or 0), text.out, text.err

        yield call
        for name in ("mine.oracle", "mine"):
            sys.modules.pop(name, None)

    def train(self, research, tmp_path: Path, *words: str) -> str:
        code, out, err = research("train", "--json", *TINY, f"paths.runs={tmp_path / 'runs'}", *words)
        assert code == 0, err
        return json.loads(out)["directory"]

    def test_an_oracle_agrees_and_its_opposite_does_not(self, research, tmp_path: Path) -> None:
        runs = [self.train(research, tmp_path, "fusion=oracle", f"fusion.sign={sign}") for sign in (1.0, -1.0)]
        code, out, err = research("truth", *runs, "--json")
        assert code == 0, err
        oracle, opposite = (json.loads(out)[run] for run in runs)
        assert oracle["queries"] == 60 and oracle["pearson"] > 0.9 and oracle["distance"] < 0.05
        assert opposite["pearson"] == pytest.approx(-oracle["pearson"], abs=1e-4)
        assert opposite["distance"] > 0.3
        code, out, _ = research("truth", runs[0])
        assert code == 0 and "Pearson" in out and f"{oracle['pearson']:+.3f}" in out

    def test_a_constant_gate_agrees_with_nothing(self, research, tmp_path: Path) -> None:
        run = self.train(research, tmp_path, "fusion=random_gate")
        assert json.loads(research("truth", run, "--json")[1])[run]["pearson"] is None

    def test_other_runs_are_refused(self, research, tmp_path: Path) -> None:
        code, out, err = research("truth", str(tmp_path))
        assert code == 2 and out == "" and "not the record of a finished run" in err
        run = self.train(research, tmp_path, "fusion=concat")
        code, _, err = research("truth", run)
        assert code == 2 and "states no weights" in err
        run = self.train(research, tmp_path, "fusion=random_gate", "data.half_life_hours=null", "data.share_short=0")
        code, _, err = research("truth", run)
        assert code == 2 and "the same everywhere" in err
