"""Accuracy after equal wall-clock: the framework until it stops by itself, then RecTools for as many seconds.

Both are a causal transformer with softmax over the whole catalogue, of the sizes of `make bench`, on the same arrays;
each user's last item is ranked against all that the user has not met. Ours are the seconds of training and of
validation after every epoch; the peer has all of them for training and stops where they end, without a validation of
its own: what it does not spend on choosing an epoch, it spends on epochs. The figure shows the validation items on the
way there, for which the peer's clock stands still.

    python -m scripts.bench.accuracy                    both data sets, to results/bench/accuracy.{json,md,svg}
    python -m scripts.bench.accuracy --only beauty      one of them; the other's last numbers stay
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from research.console import announce
from research.data.atomic import write_whole
from research.data.prepare import default_cache
from scripts.bench.datasets import DATASETS, ROOT, Dataset, export
from scripts.bench.environments import PEERS, python_of
from scripts.bench.ours import LONG
from scripts.bench.runner import MALLOC, Others

if TYPE_CHECKING:
    from research.reports.drawing import Plot

RESULTS = ROOT / "results" / "bench"
EPOCHS = {"beauty": 40, "ml-1m": 40}
"""At most; ours stops earlier when validation has not risen for ten epochs."""


def ours(dataset: Dataset, epochs: int) -> dict[str, Any]:
    """Train and test; runs in a process of its own."""
    import pyarrow.parquet as pq

    from research.config import compose
    from research.training.callbacks import CURVE
    from research.training.run import run

    sizes = ["width=64", "dropout=0.2", "batch_size=128", f"max_length={dataset.max_length}", "seed=1"]
    with tempfile.TemporaryDirectory() as folder:
        words = [f"data={dataset.source}", *LONG, "fusion=long_only", *sizes, f"trainer.max_epochs={epochs}"]
        record, directory = run(compose([*words, "logger=none", f"paths.runs={folder}"]))
        curves = pq.read_table(directory / "curves.parquet").to_pydict()
    epochs_s = itertools.accumulate(
        training + validation
        for training, validation in zip(curves["seconds"], curves["seconds_validation"], strict=True)
    )
    return {
        "users": record["protocol"]["users"],
        "recall@10": record["test"]["recall@10"],
        "ndcg@10": record["test"]["ndcg@10"],
        "seconds": record["seconds"]["train"] + record["seconds"]["validation"],
        "epochs": record["epochs"]["run"],
        "threads": record["environment"]["threads"],
        "curve": [list(point) for point in zip(epochs_s, curves[CURVE], strict=True)],
    }


def ask(command: list[str], environ: dict[str, str]) -> dict[str, Any]:
    """What a process says in its last line, and what share of the machine others used meanwhile.

    Raises:
        RuntimeError: it failed.
    """
    others = Others()
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed: {done.stderr.strip().splitlines()[-1:]}")
    return {**json.loads(done.stdout.strip().splitlines()[-1]), "others": others.share()}


def measure(name: str, python: Path, cache: Path, threads: int) -> dict[str, Any]:
    """Both sides, one after the other."""
    dataset = DATASETS[name]
    arrays = export(dataset.source, cache, announce)
    environ = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    announce(f"{dataset.title}: the framework")
    mine = ask([sys.executable, "-m", "scripts.bench.accuracy", "--ours", name], environ)
    announce(f"{dataset.title}: {mine['seconds']:.0f} s, NDCG@10 {mine['ndcg@10']:.4f}. Now RecTools for as long")
    bare = {key: value for key, value in environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    script = Path(__file__).parent / "training" / "train_rectools.py"
    words = ["--max-length", str(dataset.max_length), "--seconds", str(mine["seconds"])]
    # The allocator's settings make the peer faster, and the framework sets them for itself.
    theirs = ask([str(python), str(script), str(arrays.path), *words], bare | MALLOC)
    if mine["users"] != theirs["users"]:
        raise RuntimeError(f"{mine['users']} users are ranked here and {theirs['users']} there.")
    return {"framework": mine, "rectools": theirs}


def table(found: dict[str, Any]) -> str:
    """The results in Markdown."""
    lines = [
        "# Accuracy after equal wall-clock",
        "",
        "Written by `python -m scripts.bench.accuracy`, which says what is compared. One seed.",
        "",
        "![Validation NDCG@10 by seconds](accuracy.svg)",
        "",
        "| data | side | seconds | epochs | HR@10 | NDCG@10 | NDCG@10 by ours |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, sides in found.items():
        for side, said in sides.items():
            share = said["ndcg@10"] / sides["framework"]["ndcg@10"]
            numbers = f"{said['seconds']:.0f} | {said['epochs']:.1f} | {said['recall@10']:.4f} | {said['ndcg@10']:.4f}"
            lines.append(f"| {DATASETS[name].title} | {side} | {numbers} | {share:.2f} |")
    shares = [said["others"] for sides in found.values() for said in sides.values()]
    busy = f"{max(shares):.0%}" if all(share is not None for share in shares) else "an unknown share"
    lines += [
        "",
        f"RecTools had the allocator settings that the framework sets. Others used at most {busy} of the CPU.",
    ]
    return "\n".join(lines) + "\n"


def figure(found: dict[str, Any]) -> Plot:
    """Validation NDCG@10 by seconds, one panel for each data set."""
    from research.reports.drawing import Plot, canvas, score_axis, style
    from research.reports.palette import FUSIONS

    looks = {"framework": ("gated", "-"), "rectools": ("long_only", "--")}
    with style():
        drawn = canvas(2.1 * len(found) + 0.3)
        axes = drawn.subplots(len(found), 1, squeeze=False)[:, 0]
        for ax, (name, sides) in zip(axes, found.items(), strict=True):
            for side, (like, dash) in looks.items():
                color, marker = FUSIONS[like]
                x, y = zip(*sides[side]["curve"], strict=True)
                ax.plot(x, y, dash, marker=marker, markersize=3.5, color=color, linewidth=1.1, label=side)
            ax.set_xscale("log")
            ax.set_title(DATASETS[name].title, fontsize=10)
            ax.set_ylabel("Validation NDCG@10")
            ax.set_ylim(bottom=0)
            score_axis(ax, "y")
        axes[0].legend()
        axes[-1].set_xlabel("Seconds of training")
    said = [
        f"{DATASETS[name].title}: {side} {sides[side]['curve'][-1][1]:.4f} after {sides[side]['curve'][-1][0]:.0f} s"
        for name, sides in found.items()
        for side in looks
    ]
    return Plot("accuracy", "Accuracy by seconds", drawn, "", f"Validation NDCG@10 by seconds. {'; '.join(said)}.")


def main() -> None:
    """Measure what is asked for and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=sorted(DATASETS))
    parser.add_argument("--cache", type=Path, default=default_cache() / "bench")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--ours", choices=sorted(DATASETS), help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.ours:
        sys.stdout.write(json.dumps(ours(DATASETS[a.ours], EPOCHS[a.ours])) + "\n")
        return
    from research.reports.drawing import to_svg

    python = python_of(PEERS["rectools"], a.cache, announce)
    file = RESULTS / "accuracy.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    for name in [a.only] if a.only else list(DATASETS):
        found[name] = measure(name, python, a.cache, a.threads)
        write_whole(file, (json.dumps(found, indent=1) + "\n").encode())
        write_whole(RESULTS / "accuracy.md", table(found).encode())
        write_whole(RESULTS / "accuracy.svg", to_svg(figure(found)).encode())
    announce(f"Written: {RESULTS / 'accuracy.md'}")


if __name__ == "__main__":
    main()
