"""Comparisons as cells, for a terminal and for Markdown: one line a metric, the verdict on a row's first line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from research.data.atomic import write_whole
from research.papers.compared import Line
from research.papers.paper import HONEST, Paper
from research.papers.quirks import QUIRKS
from research.reports.markdown import escape

LISTED = ("paper", "row", "data", "published", "state")
COMPARED = ("row", "metric", "published", "ours", "difference", "verdict")
NUMBERS = {"published", "ours", "difference"}
STYLES = {"better": "green", "reached": "green", "near": "yellow", "missed": "red", "failed": "red"}
SHORT = {"recall": "HR", "ndcg": "NDCG", "mrr": "MRR"}


def listed(lines: Sequence[Line]) -> list[list[str]]:
    """Every row on one line: where it comes from, what was published, how far ours is."""
    body, last = [], ""
    for line in lines:
        published = ", ".join(f"{shorter(metric)} {value:.4f}" for metric, value in line.published.items())
        body.append([line.paper if line.paper != last else "", line.label, line.data, published or "–", line.state])
        last = line.paper
    return body


def compared_cells(lines: Sequence[Line], metrics: Sequence[str]) -> list[list[str]]:
    """Published beside ours, a line for each metric."""
    body = []
    for line in lines:
        shown = [metric for metric in metrics if metric in line.published or metric in ("recall@10", "ndcg@10")]
        for number, metric in enumerate(shown):
            value, wanted = line.ours.get(metric), line.published.get(metric)
            ours = "" if value is None else f"{value.mean:.4f}" + ("" if value.std is None else f" ± {value.std:.4f}")
            off = f"{line.off[metric]:+.1%}" if metric in line.off else ""
            first = number == 0
            cells = [line.label if first else "", shorter(metric), "–" if wanted is None else f"{wanted:.4f}"]
            body.append([*cells, ours, off, line.state if first else ""])
    return body


def foot(paper: Paper, lines: Sequence[Line]) -> list[str]:
    """What the numbers rest on, in sentences."""
    source = paper.source
    said = [f"Published: {source.paper}, {source.table}. Read in {source.read} ({source.kind})."]
    rule = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in paper.protocol.items())
    said.append(f"Protocol of the source: {rule}.")
    said += [f"Quirk in force, {name}: {QUIRKS[name].sentence}" for name in paper.quirks]
    if paper.honest:
        said.append(f"Rows that end in '{HONEST.strip(', ')}' are the same without the quirks.")
    said.append(
        f"Reached: within {paper.tolerance:.0%} of the published value; better: above; near: within "
        f"{2 * paper.tolerance:.0%}; a row is as good as its worst metric. ± is the sample std over seeds."
    )
    said += paper.notes
    return said + [f"{line.label}: {line.verdict}: {line.reason}." for line in lines if line.reason]


def shorter(metric: str) -> str:
    """``HR@10`` for ``recall@10``."""
    kind, at, k = metric.partition("@")
    return f"{SHORT.get(kind, kind)}{at}{k}"


def terminal(title: str, head: Sequence[str], body: Sequence[Sequence[str]], below: Sequence[str] = ()) -> Table:
    """For rich."""
    caption = Text("\n".join(below)) if below else None
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left", caption_style="dim")
    for heading in head:
        table.add_column(heading, justify="right" if heading in NUMBERS and head is COMPARED else "left")
    for line in body:
        style = STYLES.get(line[-1].split(" (")[0], "")
        table.add_row(*(Text(cell) for cell in line[:-1]), Text(line[-1], style=style))
    return table


def markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    dashes = ["---:" if heading in NUMBERS and head is COMPARED else "---" for heading in head]
    rows = [[escape(cell) for cell in line] for line in body]
    return [f"| {' | '.join(cells)} |" for cells in (list(head), dashes, *rows)]


def write_markdown(path: Path, papers: Sequence[Paper], lines: Sequence[Line]) -> None:
    """All papers that have a run: a list of verdicts, then each with its footer."""
    ran = [paper for paper in papers if any(line.paper == paper.name and line.seeds for line in lines)]
    shown = [line for line in lines if line.paper in {paper.name for paper in ran}]
    text = ["# Published tables, reproduced", "", *markdown(LISTED, listed(shown)), ""]
    for paper in ran:
        own = [line for line in lines if line.paper == paper.name]
        text += [f"## {escape(paper.name)}", "", escape(paper.question), ""]
        text += [*markdown(COMPARED, compared_cells(own, paper.metrics)), ""]
        text += [*(f"- {escape(sentence)}" for sentence in foot(paper, own)), ""]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, "\n".join(text).encode())
