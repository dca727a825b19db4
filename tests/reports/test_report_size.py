"""A table of the size of a real study: 30 arms, 5 seeds, 1,000 users, each arm tested against the baseline arm."""

from __future__ import annotations

import time

import numpy as np

from research.reports import remembered
from research.reports.markdown import markdown_table
from research.reports.rows import read_study, rows

ARMS, SEEDS, USERS = 30, 5, 1000
SECONDS = 60
"""Of a processor, far above what it takes; a test per arm that loops over users in Python would be beyond it."""


def test_a_large_table_comes_out_in_seconds(make_study, monkeypatch, record_property):
    names = [f"arm{number:02}" for number in range(ARMS)]
    seeds = list(range(1, SEEDS + 1))
    study = make_study(axes={"fusion": names}, seeds=seeds, baseline={"fusion": "arm00"})
    rng = np.random.default_rng(0)
    taste = rng.normal(size=USERS)
    for number, name in enumerate(names):
        for seed in seeds:
            noise = rng.normal(size=USERS) + taste + 0.04 * number + 0.02 * rng.normal()
            better = np.maximum(0, 40 - 14 * noise).astype(int).tolist()
            study.run(name, seed, better, label=name)
    monkeypatch.setattr(remembered, "KNOWN", {})
    started = time.process_time()
    records = read_study(study.path)
    made = rows(records)
    text = markdown_table(made, records)
    seconds = time.process_time() - started
    record_property("cpu_seconds", round(seconds, 2))
    assert len(made) == ARMS and all(len(row.seeds) == SEEDS for row in made)
    tested = [row.against["ndcg@10"] for row in made if row.cell != "arm00"]
    assert len(tested) == ARMS - 1
    assert f"Holm over {2 * (ARMS - 1)} comparisons" in text
    sides = [row.side("ndcg@10") for row in made]
    assert sides[0] == 0 and sides[-1] == 1, "the last arm is far above the first"
    assert seconds < SECONDS
