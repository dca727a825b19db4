"""Paper files: what is read, what is refused and how that is said."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from research.config import option_file, options
from research.errors import UserError
from research.metrics.ranking import parse
from research.papers.as_study import as_study, check_files
from research.papers.paper import Paper, check_paper, read_paper
from research.papers.quirks import QUIRKS, words_of
from research.studies.plan import plan
from research.training.names import cell

GOOD = yaml.safe_load("""
question: Is it reached?
source: {paper: Somebody 2023, table: Table 2, read: their README, kind: authors}
data: simulated
protocol: {split: leave-one-out, ranking: full catalogue, seen: scored 0}
quirks: [seen_at_zero, negatives_avoid_test]
honest: true
set: [width=8]
rows:
  bce: {published: {recall@10: 0.25, ndcg@10: 0.13}, set: [model=sasrec, loss=bce]}
  ce: {set: [model=sasrec, loss=cross_entropy]}
""")


def paper(**changes) -> Paper:
    return check_paper({**copy.deepcopy(GOOD), **changes}, "mine", "mine.yaml")


class TestReading:
    def test_defaults_and_values(self) -> None:
        read = paper()
        assert (read.seeds, read.tolerance, read.name) == ([1, 2, 3], 0.05, "mine")
        assert read.rows["bce"].published == {"recall@10": 0.25, "ndcg@10": 0.13}
        assert read.metrics == ["recall@10", "ndcg@10"]

    def test_a_published_row_runs_with_and_without_quirks(self) -> None:
        assert paper().arms == {
            "bce": ["model=sasrec", "loss=bce", "evaluation=seen_at_zero", "avoid=whole"],
            "bce, honest": ["model=sasrec", "loss=bce"],
            "ce, honest": ["model=sasrec", "loss=cross_entropy"],
        }
        assert paper().common == ["data=simulated", "width=8"]

    def test_or_with_them_alone(self) -> None:
        read = paper(honest=False)
        assert read.common == ["data=simulated", "width=8", "evaluation=seen_at_zero"]
        assert read.arms == {
            "bce": ["model=sasrec", "loss=bce", "avoid=whole"],
            "ce": ["model=sasrec", "loss=cross_entropy"],
        }

    def test_popularity_is_counted_as_theirs_in_its_own_row_alone(self) -> None:
        popular = {"published": {"recall@10": 0.01}, "set": ["baseline=popularity"]}
        rows = {**GOOD["rows"], "popular": popular}
        arms = paper(rows=rows, quirks=["seen_at_zero", "popularity_counts_test"]).arms
        assert arms["popular"] == ["baseline=popularity_of_all", "evaluation=seen_at_zero"]
        assert arms["popular, honest"] == ["baseline=popularity"]
        assert arms["bce"] == ["model=sasrec", "loss=bce", "evaluation=seen_at_zero"]

    def test_cold_targets_go_with_every_rule(self) -> None:
        assert words_of(["cold_targets_dropped"]) == ["evaluation=cold_dropped", "evaluation.cold_targets=dropped"]
        both = words_of(["seen_at_zero", "cold_targets_dropped"])
        assert both == ["evaluation=seen_at_zero", "evaluation.cold_targets=dropped"]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"sources": {}}, r"mine\.yaml: a paper file has no key 'sources'.*Did you mean 'source'"),
            ({"source": None}, "needs 'source'"),
            ({"source": {"paper": "Somebody 2023", "table": "2", "kind": "authors"}}, "a source needs 'read'"),
            ({"source": {**GOOD["source"], "kind": "rumour"}}, "kind is one of authors, second hand, computed"),
            ({"source": {**GOOD["source"], "memory": True}}, "a value from memory is never used"),
            ({"rows": {"bce": {"published": 0.25, "set": ["width=8"]}}}, "a published value needs its metric"),
            ({"rows": {"bce": {"published": [0.25], "set": ["width=8"]}}}, "a published value needs its metric"),
            ({"rows": {"bce": {**GOOD["rows"]["bce"], "memory": True}}}, "a value from memory is never used"),
            ({"rows": {"bce": {"published": {"recall": 0.2}, "set": ["width=8"]}}}, "recall"),
            ({"rows": {"bce": {"published": {"recall@10": 25.0}, "set": ["width=8"]}}}, "not in percent"),
            ({"rows": {"bce": {"published": {"recall@10": 0.2}}}}, "row bce: a row needs 'set'"),
            ({"rows": {"bce": {"published": {"recall@10": 0.2}, "set": "width=8"}}}, "should be a list of overrides"),
            ({"rows": {"ce": GOOD["rows"]["ce"]}}, "nothing to reproduce"),
            ({"rows": {}}, "needs 'rows'"),
            ({"quirks": ["seen_at_zeros"]}, "Did you mean 'seen_at_zero'"),
            ({"quirks": []}, "there is no quirk"),
            ({"protocol": {"splt": "leave-one-out"}}, "the protocol has no 'splt'"),
            ({"seeds": ["one"]}, "list of whole numbers"),
            ({"tolerance": 5}, "should be a share"),
            ({"files": {"a.txt": "12"}}, "64 hexadecimal digits"),
            ({"set": ["width"]}, "should be a list of overrides"),
        ],
    )
    def test_mistakes(self, changes, message) -> None:
        with pytest.raises(UserError, match=message):
            paper(**changes)

    def test_no_such_file(self) -> None:
        with pytest.raises(UserError, match=r"no paper file 'ml-1m-sasrec-cee'.*Did you mean 'ml-1m-sasrec-ce'"):
            read_paper("ml-1m-sasrec-cee")

    def test_a_file_by_its_path(self, tmp_path: Path) -> None:
        (tmp_path / "own.yaml").write_text(yaml.safe_dump(GOOD))
        assert read_paper(str(tmp_path / "own.yaml")).name == "own"

    def test_not_yaml(self, tmp_path: Path) -> None:
        (tmp_path / "own.yaml").write_text("rows: [")
        with pytest.raises(UserError, match="not readable YAML"):
            read_paper(str(tmp_path / "own.yaml"))


class TestFiles:
    def test_another_file_is_refused(self) -> None:
        with pytest.raises(UserError, match=r"ml-1m\.txt with SHA-256 0{12}\.\.\., and data=ml-1m-sasrec pins b725f3"):
            check_files(paper(data="ml-1m-sasrec", files={"ml-1m.txt": "0" * 64}), [])
        with pytest.raises(UserError, match="does not read a pinned file of that name"):
            check_files(paper(files={"ml-1m.txt": "0" * 64}), [])

    def test_none_is_fine(self) -> None:
        check_files(paper(), [])


@pytest.mark.parametrize("name", options("paper"))
class TestShipped:
    def test_it_composes_and_fits_together(self, name: str) -> None:
        read = read_paper(name)
        check_files(read, [])
        runs = plan(as_study(read), [])  # composes every arm and calls check_compatible
        trained = [run for run in runs if not run.config.get("baseline")]
        assert {run.label for run in runs} >= set(read.arms)
        assert all(run.config.trainer.threads == 1 for run in trained), "two runs at one time on two cores"
        assert len({cell(run.config) for run in trained}) == len({run.label for run in trained})

    def test_quirks_are_in_force_where_the_values_are_and_nowhere_else(self, name: str) -> None:
        from research.evaluation.published import protocol_of

        read = read_paper(name)
        for run in plan(as_study(read), []):
            said = protocol_of(run.config)
            counted = said.pop("counts", None)
            assert (counted is not None) == (run.label == "popularity" and "popularity_counts_test" in read.quirks)
            wanted = {key: value for key, value in read.protocol.items() if key != "split"}
            if run.config.get("baseline"):
                wanted.pop("negatives", None)
            if run.label in read.rows and read.rows[run.label].published:
                assert said == wanted, f"{run.label}: the record would not be that of the source"
            elif run.label.endswith(", honest"):
                assert said == {"ranking": "full catalogue", "seen": "filtered"}

    def test_its_head_says_the_question(self, name: str) -> None:
        text = option_file("paper", name).read_text()
        assert text.splitlines()[0] == f"# {read_paper(name).question}"
        assert max(map(len, text.splitlines())) <= 120


def test_the_shipped_rows_are_those_of_the_tables() -> None:
    """By hand from the sources: HR@10 and NDCG@10 of the first row of some files."""
    wanted = {
        "ml-1m-sasrec-ce": (0.3152, 0.1821),
        "ml-1m-sasrec-bce": (0.2500, 0.1341),
        "ml-1m-gsasrec": (0.3003, 0.1726),
        "ml-1m-gru4rec-ce": (0.2811, 0.1648),
        "ml-1m-bert4rec": (0.2843, 0.1537),
        "ml-1m-sasrec-sampled": (0.8245, 0.5905),
        "beauty-sasrec-bce": (0.0605, 0.0318),
        "sports-sasrec-bce": (0.0350, 0.0192),
        "toys-sasrec-bce": (0.0675, 0.0374),
        "beauty-sasrec-softmax": (0.0921, 0.0531),
        "sports-sasrec-softmax": (0.0569, 0.0314),
        "toys-sasrec-softmax": (0.0970, 0.0580),
        "yelp-sasrec-bce": (0.0274, 0.0136),
        "yelp-gru4rec": (0.0263, 0.0134),
        "beauty-hgn": (0.0512, 0.0266),
        "sports-hgn": (0.0313, 0.0159),
        "toys-hgn": (0.0497, 0.0277),
        "yelp-hgn": (0.0326, 0.0159),
    }
    for name, values in wanted.items():
        first = next(iter(read_paper(name).rows.values())).published
        assert (first["recall@10"], first["ndcg@10"]) == values, name
    assert len(read_paper("ml-1m-sasrec-ce").seeds) == 5
    assert all(parse(metric) for name in options("paper") for metric in read_paper(name).metrics)


def test_every_quirk_is_used_by_a_file_and_has_a_sentence() -> None:
    used = {quirk for name in options("paper") for quirk in read_paper(name).quirks}
    assert used == set(QUIRKS)
    assert all(quirk.sentence.endswith(".") for quirk in QUIRKS.values())
