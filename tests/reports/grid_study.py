"""A study with everything that the page can show, made in no time: 2 data sets x 2 encoders x 3 fusions x 2 seeds.

Ranks follow plain rules, so that tests can work out what a figure has to say.
"""

from __future__ import annotations

from pathlib import Path

from tests.reports.conftest import StudyDirectory

DATA = ("beauty", "toys")
ENCODERS = ("transformer", "gru")
FUSIONS = ("long_only", "sum", "gated")
USERS = 24


def grid_study(root: Path) -> StudyDirectory:
    """User u's target has ``u % 6 + shift`` items above it; the shift falls from long_only to gated, by two each."""
    axes = {"data": list(DATA), "encoder@long": list(ENCODERS), "fusion": list(FUSIONS)}
    study = StudyDirectory(
        root, name="grid", axes=axes, baseline={"fusion": "long_only"}, question="Which fusion, with which encoder?"
    )
    for data in DATA:
        for e, encoder in enumerate(ENCODERS):
            for f, fusion in enumerate(FUSIONS):
                for seed in (1, 2):
                    better = [(u + seed) % 6 + 2 * (2 - f) + e for u in range(USERS)]
                    gated = [0.2 + 0.6 * (u / USERS) for u in range(USERS)] if fusion == "gated" else None
                    study.run(
                        fusion,
                        seed,
                        better,
                        cell=f"{data}-{encoder}-{fusion}",
                        label=f"{encoder} | {fusion}",
                        arm={"data": data, "encoder@long": encoder, "fusion": fusion},
                        lengths=[3 + 3 * u for u in range(USERS)],
                        gaps=[600.0 * 4**u if u < 8 else None for u in range(USERS)],
                        weights=gated,
                        curve=[0.1, 0.2 + 0.02 * f, 0.15 + 0.02 * f + 0.01 * seed],
                        data={"name": data, "digest": data[0] * 64, "audit": {"users": USERS}},
                        parameters=1000 * (e + 1) + 100 * f,
                        seconds={"train": 10.0 * (f + 1) + seed, "test": 1.0},
                    )
        study.run(
            "",
            0,
            [u % 12 for u in range(USERS)],
            kind="baseline",
            label="popularity",
            cell=f"{data}-popularity",
            lengths=[3 + 3 * u for u in range(USERS)],
            gaps=[600.0 * 4**u if u < 8 else None for u in range(USERS)],
            data={"name": data, "digest": data[0] * 64, "audit": {"users": USERS}},
        )
    return study
