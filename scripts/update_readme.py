"""Put what is generated into the README, between its marks: python scripts/update_readme.py

- ``demo``: table and figure of results/quickstart;
- ``speed``: seconds of an epoch from results/bench/bench.json, the peers' also as multiples of ours;
- ``axes``: every option of every axis, from configs/.

A test compares the README with what this writes.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from research.config import options  # noqa: E402
from scripts.bench.plan import Job  # noqa: E402
from scripts.bench.summary import spread  # noqa: E402
from scripts.bench.tables import number  # noqa: E402

AXES = {
    "data": "`data`",
    "selection": "`selection` (none, or)",
    "split": "`split`",
    "encoder": "`encoder@long`, `encoder@short`",
    "items": "`items`",
    "window": "`window`",
    "fusion": "`fusion`, controls among them",
    "objective": "`objective`",
    "loss": "`loss`",
    "auxiliary": "`auxiliary` terms",
    "augmentation": "`augmentation`",
    "baseline": "`baseline`",
    "size": "`size` of all arms",
    "model": "`model`: published ones, by name",
}
PEERS = {"rectools": "RecTools", "replay-rec": "RePlay", "recbole": "RecBole"}
MODELS = {"transformer": "causal transformer", "gru": "GRU", "bert4rec": "masked transformer"}
DATA = {"beauty": "Beauty", "ml-1m": "MovieLens-1M"}


def results(study: str, figure: str, says: str) -> str:
    """A published study's table and one of its figures."""
    table = (ROOT / "results" / study / "table.md").read_text().strip()
    return f"{table}\n\n![{says}](results/{study}/{figure})"


def axes() -> str:
    """One row a group."""
    rows = [f"| {title} | {' '.join(f'`{option}`' for option in options(group))} |" for group, title in AXES.items()]
    return "\n".join(["| axis | choices |", "|---|---|", *rows])


def speed(measurements: list[dict[str, Any]]) -> str:
    """Median seconds of an epoch of each side."""

    def seconds(side: str, model: str, data: str) -> float | None:
        found = spread(measurements, Job(side, model, data), "epoch_s")
        return found.median if found else None

    heads = " | ".join(PEERS.values())
    rows = [f"| model, full softmax | data | here | plain PyTorch loop | {heads} |", "|---|---|--:|--:|--:|--:|--:|"]
    for model, model_name in MODELS.items():
        for data, data_name in DATA.items():
            ours = seconds("framework", model, data)
            if ours is None:
                continue
            values = [seconds(side, model, data) for side in ("framework", "reference")]
            cells = [number(value) if value else "–" for value in values]
            for peer in PEERS:
                value = seconds(peer, model, data)
                cells.append(f"{number(value)} ({value / ours:,.0f} x)" if value else "–")
            rows.append(f"| {model_name} | {data_name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def blocks() -> dict[str, str]:
    """What stands between each pair of marks."""
    bench = json.loads((ROOT / "results" / "bench" / "bench.json").read_text())
    return {
        "demo": results("quickstart", "arms.svg", "NDCG@10 by fusion, mean and seeds"),
        "speed": speed(bench["measurements"]),
        "axes": axes(),
    }


def written(readme: str) -> str:
    """The README with all blocks as they should be."""
    for name, block in blocks().items():
        begin, end = f"<!-- {name}:begin -->\n", f"\n<!-- {name}:end -->"
        readme = re.sub(f"{begin}.*?{end}", lambda _, text=begin + block + end: text, readme, flags=re.DOTALL)
    return readme


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(written(readme.read_text()))
