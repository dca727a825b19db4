"""A paper file as a study, so that every executor, record, table and page that a study has serves it too."""

from __future__ import annotations

from research.config import compose
from research.data.source import Source
from research.errors import UserError
from research.papers.paper import Paper
from research.schema import build
from research.studies.study import Study

PREFIX = "paper-"
"""The directory of a paper's runs is this and its name."""


def as_study(paper: Paper) -> Study:
    """Its rows are arms, with and without quirks where it asks for both."""
    return Study(
        name=PREFIX + paper.name,
        question=paper.question,
        axes={},
        arms=paper.arms,
        seeds=paper.seeds,
        set=paper.common,
        baselines=paper.baselines,
        metrics=paper.metrics,
    )


def check_files(paper: Paper, overrides: list[str]) -> None:
    """See that the dataset reads the files that the published values belong to; nothing is fetched.

    Raises:
        UserError: it reads others.
    """
    # A loader verifies what it reads against these, so it is enough to compare the two.
    source = build(compose([*paper.common, *overrides]).data, Source)
    pinned = {file.name: file.sha256 for file in source.files()}
    for name, digest in paper.files.items():
        if pinned.get(name) != digest:
            found = f"pins {pinned[name][:12]}..." if pinned.get(name) else "does not read a pinned file of that name"
            raise UserError(
                f"paper {paper.name}: the published values belong to {name} with SHA-256 {digest[:12]}..., and "
                f"data={paper.data} {found}. Its runs would not be comparable."
            )
