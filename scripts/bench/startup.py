"""How long a person waits before anything happens: help, an import, the first training step. Wall time of processes."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time


def seconds_of(command: list[str]) -> float:
    """Wall time of a process from its start to its end."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def seconds_to_first_step(source: str, max_length: int, words: list[str]) -> float:
    """From the start of the process to the end of the first training step, on prepared data."""
    ours = [sys.executable, "-m", "scripts.bench.ours", source, "--max-length", str(max_length), "--first-step"]
    started = time.time()
    done = subprocess.run([*ours, "--words", *words], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])["at"] - started


def measure(source: str, max_length: int, words: list[str]) -> dict[str, float]:
    """Seconds of the three."""
    help_ = "from research.cli import main; main(['--help'])"
    encoder = "from research.encoders.transformer import Transformer"
    return {
        "help_s": seconds_of([sys.executable, "-c", help_]),
        "import_s": seconds_of([sys.executable, "-c", encoder]),
        "first_step_s": seconds_to_first_step(source, max_length, words),
    }


def main() -> None:
    """Measure and write one JSON object to stdout."""
    parser = argparse.ArgumentParser(description="Start-up times of the framework.")
    parser.add_argument("source", help="dataset, as in data=NAME")
    parser.add_argument("--max-length", type=int, default=50)
    parser.add_argument("--words", nargs="*", default=[], help="further overrides")
    a = parser.parse_args()
    sys.stdout.write(json.dumps(measure(a.source, a.max_length, a.words)) + "\n")


if __name__ == "__main__":
    main()
