"""Are the data what they were, and would the audit tell if the future leaked?

Shape legend: N interactions, U users.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from research.data import store
from research.data.audit import audit
from research.data.histories import Histories
from research.data.prepare import cache_of, prepare
from research.data.selection import Selection
from research.data.source import Source
from research.data.splits.global_temporal import GlobalTemporal
from research.doctor.check import Check
from research.errors import UserError
from research.schema import build

REBUILT = 2_000_000
"""Interactions up to which the data are built once more, a second or two."""

LOOKED_AT = 200_000
"""Interactions of the first users in which times are shuffled."""


def same_build(config: DictConfig, histories: Histories) -> Check:
    """Build the data once more from the raw files in the cache, and compare every array by its digest."""
    name = "Two builds of the data are equal"
    count = len(histories.items)
    if count > REBUILT:
        return Check(name, None, f"{count:,} interactions; data of up to {REBUILT:,} are built again")
    selection = config.get("selection")
    cache = cache_of(config)
    with tempfile.TemporaryDirectory(prefix="research-doctor-") as other:
        if (cache / "raw").is_dir():
            (Path(other) / "raw").symlink_to((cache / "raw").resolve(), target_is_directory=True)
        again = prepare(
            build(config.data, Source),
            cache=Path(other),
            selection=build(selection, Selection) if selection else None,
        )
        first, second = (
            (store.digest_of(each), store.columns_digest_of(each), each.digest) for each in (histories, again)
        )
    equal = first == second and first[0] == first[2]
    text = f"{count:,} interactions, digest {first[0][:12]}"
    if not equal:
        text = f"the prepared data have digest {first[0][:12]} (stated {first[2][:12]}), a new build {second[0][:12]}"
    mend = f"Delete {cache / 'prepared'} so that the data are built again, and repeat the runs made with them."
    return Check(name, equal, text, "research/data/build.py, research/data/store.py", mend)


def shuffled_time(histories: Histories) -> Check:
    """Split a part of the data at a moment: no training event is later. Shuffle the times: the audit must say so."""
    name = "Shuffled time trips the leakage audit"
    if not histories.has_times:
        return Check(name, None, "the source has an order but no times")
    part = first_users(histories, LOOKED_AT)
    try:
        split = GlobalTemporal()(part)
    except UserError as error:
        return Check(name, None, str(error))
    key = "training_after_first_test_share"
    before = audit(part, split)[key]
    times_N = np.random.default_rng(0).permutation(np.asarray(part.times))
    after = audit(replace(part, times=times_N), split)[key]
    first_test = min(times_N[split.test.target].tolist())
    by_hand = float(np.mean([time > first_test for time in times_N[split.train.positions].tolist()]))
    passed = before == 0 and after is not None and after > 0 and abs(after - by_hand) < 1e-12
    text = f"share of training events later than a test event: {before:.1%} as split, {after:.1%} with shuffled times"
    mend = "Undo the last change to these files; without this audit a leaking protocol looks like any other."
    where = "_trained_later in research/data/audit.py, research/data/splits/global_temporal.py"
    return Check(name, passed, text if passed else f"{text}; a plain loop says {by_hand:.1%}", where, mend)


def first_users(histories: Histories, interactions: int) -> Histories:
    """The first users with so many interactions together, one user at least."""
    users = max(1, int(np.searchsorted(histories.offsets, interactions, side="right")) - 1)
    stop = int(histories.offsets[users])
    return replace(
        histories,
        offsets=histories.offsets[: users + 1],
        items=histories.items[:stop],
        times=histories.times[:stop],
        user_ids=histories.user_ids[:users],
        columns={name: codes_N[:stop] for name, codes_N in histories.columns.items()},
        user_features={},
    )
