"""From a source to memory-mapped histories: fetch, read, number, sort, save; later only the saved is mapped.

There is one path, in blocks, for files of any size: `Source.blocks` -> `spooled` -> `Selection` -> `build`.

Users and items are numbered by first appearance in the file: users from 0, items from 1. Interactions are
sorted by user, then time, then row in the file, so equal times keep the file's order. Users with one
interaction are kept.

Shape legend: N interactions, U users, I items.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from research.data import checksums, store
from research.data.atomic import unused_sibling, writing_below
from research.data.build import build
from research.data.columns import NOT_CODES, digest_of_columns, encode_columns, encode_features
from research.data.download import Progress
from research.data.fetch import Announce, fetch, show_terms
from research.data.histories import Histories
from research.data.interactions import spooled
from research.data.raw import RawFiles
from research.data.selection import Selection
from research.data.source import Source
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl
    from omegaconf import DictConfig


def default_cache() -> Path:
    """The directory named by ``RESEARCH_CACHE``, else ``~/.cache/research``."""
    return Path(os.environ.get("RESEARCH_CACHE") or "~/.cache/research").expanduser()


def cache_of(config: DictConfig) -> Path:
    """The data cache of a composed run: ``paths.cache``, else the usual one."""
    return Path(config.paths.cache).expanduser() if config.paths.cache else default_cache()


def mirrors_from_environment() -> tuple[Path, ...]:
    """The directories named by ``RESEARCH_MIRROR``, separated as in ``PATH``."""
    named = os.environ.get("RESEARCH_MIRROR", "").split(os.pathsep)
    return tuple(Path(one).expanduser() for one in named if one.strip())


def prepare(
    source: Source,
    *,
    cache: Path,
    mirrors: Sequence[Path] = (),
    announce: Announce | None = None,
    progress: Progress | None = None,
    verify: bool | None = None,
    selection: Selection | None = None,
) -> Histories:
    """The histories of ``source``, memory-mapped from ``cache/prepared/``; built there first if need be.

    Args:
        source: a dataset.
        cache: the data cache; see `default_cache`.
        mirrors: the user's own directories with raw files; see `mirrors_from_environment`.
        announce: shows a line of text to the user: terms of use, corrupt files.
        progress: is told how a download goes.
        verify: hash the arrays; ``None`` does so for sets below 32 MiB.
        selection: which rows are kept; ``None`` keeps all. Its trace is announced, and stored as ``selection.json``.

    Raises:
        UserError: the raw files cannot be had, hold no interaction or none that is kept, or the cache cannot be
            written to.
    """
    if source.terms:
        show_terms(source.terms, cache / "raw" / source.name, announce)
    files = source.files()
    raw = None
    hashes = checksums.known(files, cache / "raw" / source.name)
    if hashes is None:  # unpinned files that never came: only their content says which prepared data is theirs
        raw = fetch(source.name, files, cache=cache, mirrors=mirrors, announce=announce, progress=progress)
        hashes = checksums.known(files, cache / "raw" / source.name)
    target = cache / "prepared" / f"{source.name}-{_key(source, hashes or [], selection)}"
    if target.exists():
        try:
            return store.load(target, verify=verify)
        except store.DamagedError as reason:
            if announce:
                announce(f"The prepared data in {target} is damaged ({reason}) and is built again.")
            _discard(target, cache)
    if raw is None:
        raw = fetch(source.name, files, cache=cache, mirrors=mirrors, announce=announce, progress=progress)
    with writing_below(cache):
        return _build(source, raw, target, selection, announce)


def _key(source: Source, hashes: Sequence[str], selection: Selection | None) -> str:
    """Of everything that the rows depend on. Optional files bring titles only, so they do not count."""
    depends = {
        "store": store.FORMAT,
        "source": f"{type(source).__name__} {source.version}",
        "raw": list(hashes),
        "fields": dataclasses.asdict(source),  # type: ignore[call-overload]
        "fingerprint": source.fingerprint(),
        **({"selection": [selection.version, dataclasses.asdict(selection)]} if selection else {}),
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _build(
    source: Source, raw: RawFiles, target: Path, selection: Selection | None, announce: Announce | None
) -> Histories:
    """Build beside ``target``, then rename. Who comes second finds the name taken and uses what is there."""
    temporary = unused_sibling(target, "tmp")
    made = temporary / "made"
    try:
        temporary.mkdir(parents=True)
        log = spooled(source.name, source.blocks(raw), temporary, NOT_CODES, selection.needs if selection else ())
        kept_N, trace = selection(log) if selection else (None, [])
        if trace and announce:
            announce("\n".join(map(str, trace)))
        build(
            log,
            None if kept_N is None or kept_N.all() else kept_N,
            made,
            titles=source.titles(raw),
            item_table=source.item_features(raw),
            user_table=source.user_features(raw),
        )
        if trace:
            steps = json.dumps([dataclasses.asdict(step) for step in trace], indent=1)
            (made / "selection.json").write_text(steps, encoding="utf-8")
        try:
            made.replace(target)
        except OSError:
            if not target.is_dir():
                raise
        return store.load(target)
    except store.DamagedError as reason:
        raise UserError(f"{target} cannot be read back ({reason}). Delete it, or set RESEARCH_CACHE.") from reason
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _discard(target: Path, cache: Path) -> None:
    aside = unused_sibling(target, "damaged")
    with writing_below(cache):
        try:
            target.replace(aside)  # first out of the way in one step: another process may be reading the name
        except FileNotFoundError:
            return
    shutil.rmtree(aside, ignore_errors=True)


def to_histories(
    name: str,
    rows: pl.DataFrame,
    titles: Mapping[str, str] | None = None,
    item_table: pl.DataFrame | None = None,
    user_table: pl.DataFrame | None = None,
) -> Histories:
    """Number users and items and sort, all in memory: for tables of your own, and the slow twin of `build`.

    Args:
        name: the dataset's name.
        rows: ``user``, ``item`` and perhaps ``time``, in file order; other columns are carried along as codes.
        titles: by the source's own item id; items without one get an empty title.
        item_table: `Source.item_features`.
        user_table: `Source.user_features`.

    Raises:
        UserError: no rows.
    """
    if rows.is_empty():
        raise UserError(f"{name} has no interactions.")
    user_N, user_ids = _number(rows["user"])
    item_N, item_ids = _number(rows["item"])
    has_times = "time" in rows.columns
    time_N = rows["time"].to_numpy().astype(np.int64) if has_times else np.zeros(len(user_N), dtype=np.int64)
    order_N = np.lexsort((time_N, user_N))  # lexsort is stable: equal times keep the file's order
    offsets = np.zeros(len(user_ids) + 1, dtype=np.int64)
    np.cumsum(np.bincount(user_N, minlength=len(user_ids)), out=offsets[1:])
    items = (item_N[order_N] + 1).astype(np.int32)
    times = time_N[order_N]
    columns, vocabularies = encode_columns(rows)
    columns = {key: code_N[order_N] for key, code_N in columns.items()}
    item_features = encode_features(item_table, "item", item_ids)
    user_features = encode_features(user_table, "user", user_ids)
    return Histories(
        name=name,
        offsets=offsets,
        items=items,
        times=times,
        n_items=len(item_ids),
        has_times=has_times,
        user_ids=user_ids,
        item_ids=item_ids,
        digest=store.digest(offsets, items, times, user_ids, item_ids, has_times),
        titles=np.array([titles.get(one, "") for one in item_ids.tolist()]) if titles is not None else None,
        columns=columns,
        vocabularies=vocabularies,
        item_features=item_features,
        user_features=user_features,
        columns_digest=digest_of_columns(columns, vocabularies, item_features, user_features),
    )


def _number(ids: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """``(N,)`` codes from 0 by first appearance, and the id of each code as a string."""
    import polars as pl

    distinct = ids.unique(maintain_order=True)
    codes = ids.replace_strict(distinct, pl.Series(np.arange(len(distinct))), return_dtype=pl.Int64)
    return codes.to_numpy(), np.array(distinct.cast(pl.String).to_list(), dtype=np.str_)
