"""What is committed of published tables is what the records beside it give."""

from __future__ import annotations

from pathlib import Path

from research.config import options
from research.papers.compared import compared
from research.papers.paper import read_paper
from research.papers.printed import write_markdown

TABLES = Path(__file__).parents[2] / "results" / "paper"


def test_the_committed_comparison_is_what_the_records_give(tmp_path: Path) -> None:
    papers = [read_paper(name) for name in options("paper")]
    lines = [line for paper in papers for line in compared(paper, TABLES)]
    write_markdown(tmp_path / "table.md", papers, lines)
    remedy = "research reproduce --report results/paper --out results/paper/table.md"
    assert (TABLES / "table.md").read_text() == (tmp_path / "table.md").read_text(), remedy


def test_every_published_table_was_run_as_its_file_says() -> None:
    published = [path.parent.name for path in sorted(TABLES.glob("*/table.md"))]
    assert published
    for name in published:
        lines = compared(read_paper(name), TABLES)
        assert all(line.seeds for line in lines), name
        assert not [
            line.reason for line in lines if line.published and not line.label.endswith(", honest") and line.reason
        ]
