"""Verdicts by hand-made numbers, from values and from records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from research.papers.compared import Line, compared
from research.papers.paper import Paper, check_paper
from research.papers.printed import compared_cells, foot, listed, shorter, write_markdown
from research.papers.verdict import difference, verdict, worst
from tests.made_runs import made_run

HONEST = {"split": "leave-one-out", "ranking": "full catalogue", "seen": "filtered", "ties": "expected"}


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (0.2101, "better"),
        (0.2100, "reached"),  # 1.05 x 0.2: a bound counts as kept
        (0.2000, "reached"),
        (0.1900, "reached"),
        (0.1899, "near"),
        (0.1800, "near"),
        (0.1799, "missed"),
        (0.0, "missed"),
    ],
)
def test_bounds_of_a_verdict(ours: float, expected: str) -> None:
    assert verdict(ours, 0.2, 0.05) == expected


def test_a_row_is_as_good_as_its_worst_metric() -> None:
    assert worst(["better", "reached"]) == "reached"
    assert worst(["better", "near", "reached"]) == "near"
    assert worst(["missed", "better"]) == "missed"
    assert difference(0.22, 0.2) == pytest.approx(0.1)


def paper(**changes) -> Paper:
    content = {
        "question": "Is it reached?",
        "source": {"paper": "Somebody 2023", "table": "Table 2", "read": "their README", "kind": "authors"},
        "data": "toy",
        "protocol": {"split": "leave-one-out", "ranking": "full catalogue", "seen": "filtered"},
        "rows": {
            "first": {"published": {"recall@10": 0.6}, "set": ["fusion=gated"]},
            "second": {"set": ["fusion=sum"]},
        },
        "seeds": [1, 2],
    }
    return check_paper({**content, **changes}, "mine", "mine.yaml")


def run_of(runs: Path, label: str, better: list[int], seed: int, **fields) -> None:
    made_run(runs, better, study="paper-mine", cell=f"{label}-1", seed=seed, label=label, protocol=HONEST, **fields)


def study_of(runs: Path, asked: Paper, **changes) -> None:
    said = {"name": "paper-mine", "question": "?", "axes": {}, "seeds": asked.seeds, "set": asked.common}
    said |= {"metrics": asked.metrics, "baseline": {}, "arms": asked.arms}
    (runs / "paper-mine").mkdir(parents=True, exist_ok=True)
    (runs / "paper-mine" / "study.yaml").write_text(yaml.safe_dump({**said, **changes}))


HALF, MOST = [0, 1, 99, 99], [0, 1, 2, 99]  # HR@10 of .5 and .75


class TestFromRecords:
    def test_mean_and_spread_over_seeds(self, tmp_path: Path) -> None:
        study_of(tmp_path, paper())
        run_of(tmp_path, "first", HALF, 1)
        run_of(tmp_path, "first", MOST, 2)
        run_of(tmp_path, "second", MOST, 1)
        first, second = compared(paper(), tmp_path)
        assert first.ours["recall@10"].mean == pytest.approx(0.625)
        assert first.ours["recall@10"].std == pytest.approx(0.125 * 2**0.5)
        assert first.off["recall@10"] == pytest.approx(0.625 / 0.6 - 1)
        assert (first.verdict, first.state, first.seeds) == ("reached", "reached", (1, 2))
        assert (second.verdict, second.state) == ("ours alone", "ours alone (1 of 2 seeds)")

    def test_one_seed_missing_is_said(self, tmp_path: Path) -> None:
        study_of(tmp_path, paper())
        run_of(tmp_path, "first", HALF, 1)
        assert compared(paper(), tmp_path)[0].state == "missed (1 of 2 seeds)"

    def test_nothing_has_run(self, tmp_path: Path) -> None:
        assert [line.verdict for line in compared(paper(), tmp_path)] == ["not run", "not run"]

    def test_a_failed_run_has_its_reason(self, tmp_path: Path) -> None:
        study_of(tmp_path, paper())
        run_of(tmp_path, "first", HALF, 1)
        path = tmp_path / "paper-mine" / "first-1" / "seed-1" / "record.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "status": "failed", "reason": "no memory"}))
        line = compared(paper(), tmp_path)[0]
        assert (line.verdict, line.reason) == ("failed", "no memory")

    @pytest.mark.parametrize(
        ("protocol", "reason"),
        [
            ({"seen": "scored 0"}, "seen: filtered here, scored 0 there"),
            ({"ranking": "100 items drawn uniformly"}, "ranking: full catalogue here, 100 items drawn uniformly there"),
            ({"cold_targets": "dropped"}, "cold targets: as ever here, dropped there"),
            ({"split": "global temporal 0.9"}, "split: leave-one-out here, global temporal 0.9 there"),
        ],
    )
    def test_another_protocol_is_not_comparable(self, tmp_path: Path, protocol, reason) -> None:
        asked = paper(protocol={**paper().protocol, **protocol})
        study_of(tmp_path, asked)
        run_of(tmp_path, "first", MOST, 1)
        line = compared(asked, tmp_path)[0]
        assert (line.verdict, line.reason, line.verdicts) == ("not comparable", reason, {})
        assert line.off["recall@10"] == pytest.approx(0.25), "the number stands all the same"

    def test_a_quirk_in_the_record_alone_is_not_comparable(self, tmp_path: Path) -> None:
        study_of(tmp_path, paper())
        run_of(tmp_path, "first", MOST, 1)
        path = tmp_path / "paper-mine" / "first-1" / "seed-1" / "record.json"
        record = json.loads(path.read_text())
        record["protocol"]["negatives"] = "avoid the validation and test item"
        path.write_text(json.dumps(record))
        assert compared(paper(), tmp_path)[0].reason.startswith("negatives: avoid the validation")

    def test_other_words_than_the_files(self, tmp_path: Path) -> None:
        study_of(tmp_path, paper(), set=[*paper().common, "trainer.max_epochs=1", "logger=none"])
        run_of(tmp_path, "first", MOST, 1)
        line = compared(paper(), tmp_path)[0]
        assert (line.verdict, line.reason) == ("not comparable", "run with trainer.max_epochs=1")
        study_of(tmp_path, paper(), set=[*paper().common, "trainer.threads=2", "logger=none"])
        assert compared(paper(), tmp_path)[0].verdict == "better"

    def test_a_file_that_changed_since(self, tmp_path: Path) -> None:
        study_of(tmp_path, paper())
        run_of(tmp_path, "first", MOST, 1)
        for changed in (
            paper(set=["width=8"]),
            paper(rows={"first": {"published": {"recall@10": 0.6}, "set": ["a=b"]}}),
        ):
            assert compared(changed, tmp_path)[0].reason == "the file has changed since; run it again"

    def test_runs_of_an_earlier_file_are_left_out(self, tmp_path: Path) -> None:
        study_of(tmp_path, paper())
        run_of(tmp_path, "first", MOST, 1)
        run_of(tmp_path, "first", HALF, 2)
        plan = [{"label": "first", "seed": 1, "cell": "first-1"}]
        (tmp_path / "paper-mine" / "plan.json").write_text(json.dumps(plan))
        assert compared(paper(), tmp_path)[0].seeds == (1,)


class TestPrinted:
    LINE = Line("mine", "first", "toy", {"recall@10": 0.6}, 2)

    def test_lists(self, tmp_path: Path) -> None:
        assert listed([self.LINE, self.LINE])[0] == ["mine", "first", "toy", "HR@10 0.6000", "not run"]
        assert listed([self.LINE, self.LINE])[1][0] == "", "a paper is named once"
        assert (shorter("recall@10"), shorter("ndcg@5"), shorter("mrr@10")) == ("HR@10", "NDCG@5", "MRR@10")

    def test_numbers_side_by_side(self, tmp_path: Path) -> None:
        study_of(tmp_path, paper())
        run_of(tmp_path, "first", HALF, 1)
        run_of(tmp_path, "first", MOST, 2)
        cells = compared_cells(compared(paper(), tmp_path), ["recall@10", "ndcg@10"])
        assert cells[0] == ["first", "HR@10", "0.6000", "0.6250 ± 0.1768", "+4.2%", "reached"]
        assert cells[1][:3] == ["", "NDCG@10", "–"] and cells[1][4:] == ["", ""]

    def test_a_footer_names_source_quirks_and_reasons(self) -> None:
        asked = paper(quirks=["seen_at_zero"], notes=["Mind this."])
        line = Line("mine", "first", "toy", {}, 2, verdict="failed", reason="no memory")
        said = " ".join(foot(asked, [line]))
        assert "Somebody 2023, Table 2. Read in their README (authors)." in said
        assert "Quirk in force, seen_at_zero: Seen items stay candidates" in said
        assert "Mind this." in said and "first: failed: no memory." in said

    def test_markdown_of_those_that_ran(self, tmp_path: Path) -> None:
        study_of(tmp_path, paper())
        run_of(tmp_path, "first", MOST, 1)
        other = check_paper({**GOOD_OTHER}, "other", "other.yaml")
        lines = [*compared(paper(), tmp_path), *compared(other, tmp_path)]
        write_markdown(tmp_path / "deep" / "table.md", [paper(), other], lines)
        text = (tmp_path / "deep" / "table.md").read_text()
        assert "| mine | first | toy | HR@10 0.6000 | better (1 of 2 seeds) |" in text
        assert "## mine" in text and "other" not in text
        assert "| first | HR@10 | 0.6000 | 0.7500 | +25.0% | better (1 of 2 seeds) |" in text


GOOD_OTHER = {
    "question": "?",
    "source": {"paper": "A", "table": "1", "read": "B", "kind": "authors"},
    "data": "toy",
    "protocol": {"split": "leave-one-out"},
    "rows": {"x": {"published": {"recall@10": 0.6}, "set": ["a=b"]}},
}
