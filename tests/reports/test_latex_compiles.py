"""The LaTeX table goes through pdflatex with booktabs and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from research.reports.latex import latex_slices, latex_table
from research.reports.rows import read_study, rows
from research.reports.slices import sliced
from tests.reports.grid_study import grid_study
from tests.reports.needed import missing

DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs}
\begin{document}
%s
\end{document}
"""
SPECIAL = r"""50% of R&D_#1 {x} $y$ ~z^2 \n "q" <a> |b| --- é · ± × ≤ ≥ → − – † ‡"""


def compiled(text: str, directory: Path) -> str:
    """The log of a run that ended well, with a PDF."""
    program = shutil.which("pdflatex")
    if program is None:
        missing("There is no pdflatex")
    found = subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, check=False)
    if found.returncode != 0:
        missing("LaTeX has no booktabs")
    (directory / "table.tex").write_text(DOCUMENT.replace("%s", text), encoding="utf-8")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "table.tex"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert (directory / "table.pdf").read_bytes().startswith(b"%PDF-")
    return (directory / "table.log").read_text(errors="replace")


def pages(log: str) -> int:
    said = re.search(r"Output written on table\.pdf \((\d+) page", log.replace("\n", ""))
    assert said
    return int(said[1])


def test_a_table_is_one_page(small, tmp_path):
    records = read_study(small.path)
    log = compiled(latex_table(rows(records), records), tmp_path)
    assert pages(log) == 1
    assert "Missing character" not in log


def test_slices_and_variance_compile(tmp_path):
    records = read_study(grid_study(tmp_path).path)
    table = latex_table(rows(records), records)
    assert "-variance}" in table
    slices = latex_slices(sliced(records, ["ndcg@10"]), records, "ndcg@10")
    log = compiled(f"{table}\n\\clearpage\n{slices}", tmp_path)
    assert "Missing character" not in log


def test_special_characters_anywhere_compile(make_study, tmp_path):
    study = make_study(seeds=[1, 2], question=SPECIAL)
    study.run("gated", 1, [0, 3], label=f"arm {SPECIAL}", data={"name": SPECIAL, "digest": "d", "audit": {}})
    study.run("long_only", 1, [2, 3], label="a_b&c%d#e", data={"name": SPECIAL, "digest": "d", "audit": {}})
    study.fail("gated", 2, f"failed: {SPECIAL}", label=f"arm {SPECIAL}")
    records = read_study(study.path)
    log = compiled(latex_table(rows(records), records), tmp_path)
    assert pages(log) == 1
    assert "Missing character" not in log


def test_what_compiles_is_checked(tmp_path):
    with pytest.raises(AssertionError):
        compiled("R&D_1", tmp_path)
