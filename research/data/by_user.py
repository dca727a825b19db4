"""Sort more interactions than memory holds by user, then time; equal times keep the order in which they come.

First every interaction goes to the part that its user belongs to; a part is a file of whole users, of about `ROOM`
interactions. Then one part after the other is sorted in memory. What fits into one part never touches the disk.

Shape legend: N interactions, n of one block, U users.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from research.data.spool import Spool

ROOM = 1 << 24
"""Interactions of a part; about 60 bytes of memory each. A user with more makes a larger part."""


def by_user(
    blocks: Iterable[np.ndarray], length_U: np.ndarray, dtype: np.dtype, time: str, folder: Path
) -> Iterator[np.ndarray]:
    """Parts of whole users, one after the other in the order of their numbers.

    Args:
        blocks: records with the fields ``user`` and ``time``'s; other fields travel along.
        length_U: ``(U,)`` interactions of each user.
        dtype: of the records.
        time: the field that is sorted by within a user.
        folder: an existing directory for the parts.

    Returns:
        The sorted records, in arrays that are nowhere split within a user.

    Raises:
        OSError: the disk is full.
    """
    part_U = np.maximum(np.cumsum(length_U) - 1, 0) // ROOM
    length_P = np.bincount(part_U, weights=length_U).astype(np.int64)
    if len(length_P) == 1:
        yield _sorted(_joined(blocks, int(length_P[0]), dtype), time)
        return
    spools = [Spool(folder / f"part-{number}", dtype) for number in range(len(length_P))]
    for records_n in blocks:
        part_n = part_U[records_n["user"]]
        order_n = np.argsort(part_n, kind="stable")
        ends = np.cumsum(np.bincount(part_n, minlength=len(spools)))
        for spool, mine in zip(spools, np.split(order_n, ends[:-1]), strict=True):
            if len(mine):
                spool.append(records_n[mine])
    for spool in spools:
        if len(spool):
            yield _sorted(spool.whole(), time)
        spool.path.unlink()


def _joined(blocks: Iterable[np.ndarray], length: int, dtype: np.dtype) -> np.ndarray:
    joined, at = np.empty(length, dtype), 0
    for records_n in blocks:
        joined[at : at + len(records_n)] = records_n
        at += len(records_n)
    return joined


def _sorted(records_n: np.ndarray, time: str) -> np.ndarray:
    return records_n[order(records_n["user"], records_n[time])]


def order(user_n: np.ndarray, time_n: np.ndarray) -> np.ndarray:
    """``(n,)`` places that sort by user, then time, stably.

    It is `np.lexsort`, in a tenth of the time where one integer holds both.
    """
    if len(user_n) and time_n.dtype.kind == "i":
        least, begin = int(user_n.min()), int(time_n.min())
        bits = (int(time_n.max()) - begin).bit_length()
        if (int(user_n.max()) - least).bit_length() + bits < 63:
            return np.argsort(((user_n.astype(np.int64) - least) << bits) | (time_n - begin), kind="stable")
    return np.lexsort((time_n, user_n))
