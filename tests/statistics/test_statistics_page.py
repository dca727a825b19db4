"""The page on statistics: its example runs and says what it says, and its table names what exists."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict = {}
    exec(code, names)
    (said,) = re.findall(r"verdict\.outcome +# (.+)", code)
    assert names["verdict"].outcome == said


def test_the_table_names_what_exists() -> None:
    rows = re.findall(r"^\| .+ \| (`.+`) \| `(\w+)\.py` \|$", PAGE, flags=re.MULTILINE)
    assert len(rows) > 10
    for functions, file in rows:
        module = importlib.import_module(f"research.statistics.{file}")
        for function in re.findall(r"`(\w+)`", functions):
            assert callable(getattr(module, function)), (file, function)
