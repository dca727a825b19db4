"""Preparation: numbering, order of ties, one digest from every place, a cache that is never half right."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from research.data import store
from research.data.arrays import ArrayFile
from research.data.histories import Histories
from research.data.prepare import default_cache, mirrors_from_environment, prepare, to_histories
from research.data.sources.files import Files
from research.data.sources.simulated import Simulated
from research.data.spool import Spool
from research.errors import UserError

# What U_DATA of conftest.py must become. By first appearance: users 7, 9, 8; items 50, 60, 40, 30.
# User 7: item 60 at 10, then 50 and 40, both at 30, in this order. User 9: 60 at 5, 50 at 6. User 8: 30, 99.
OFFSETS = [0, 3, 5, 6]
ITEMS = [2, 1, 3, 2, 1, 4]
TIMES = [10, 30, 30, 5, 6, 99]


def check(h: Histories) -> None:
    assert h.name == "ml-100k" and h.has_times
    assert (h.n_users, h.n_items) == (3, 4)
    assert h.offsets.tolist() == OFFSETS and h.offsets.dtype == np.int64
    assert h.items.tolist() == ITEMS and h.items.dtype == np.int32
    assert h.times.tolist() == TIMES and h.times.dtype == np.int64
    assert h.user_ids.tolist() == ["7", "9", "8"]
    assert h.item_ids.tolist() == ["50", "60", "40", "30"]


def test_numbering_order_and_titles_by_hand(small, mirror: Path, tmp_path: Path) -> None:
    for _ in range(2):  # built, then mapped
        h = prepare(small, cache=tmp_path / "cache", mirrors=[mirror])
        check(h)
        assert h.titles is not None and h.titles.tolist() == ["C", "D", "B", "Caf\u00e9 (1990)"]
        assert isinstance(h.items, np.memmap) and not h.items.flags.writeable


def test_ties_keep_the_order_of_the_file() -> None:
    rng = np.random.default_rng(0)
    user, item, at = rng.integers(0, 20, 2000), rng.integers(0, 300, 2000), rng.integers(0, 4, 2000)
    h = to_histories("x", pl.DataFrame({"user": user, "item": item, "time": at}))
    expected = sorted(range(2000), key=lambda row: (list(dict.fromkeys(user.tolist())).index(user[row]), at[row]))
    assert h.item_ids[h.items - 1].tolist() == [str(item[row]) for row in expected]


def test_without_times_the_file_is_the_order_even_when_users_alternate() -> None:
    h = to_histories("x", pl.DataFrame({"user": ["b", "a", "b", "a"], "item": ["q", "p", "p", "q"]}))
    assert (h.user_ids.tolist(), h.offsets.tolist(), h.items.tolist()) == (
        ["b", "a"],
        [0, 2, 4],
        [1, 2, 2, 1],
    )
    assert not h.has_times and h.times.tolist() == [0, 0, 0, 0]


def test_every_place_yields_the_same_interactions_and_digest(
    small, from_server, from_wheel, server, mirror: Path, tmp_path: Path, make_zip: Callable, archive_members
) -> None:
    archive = make_zip(tmp_path / "zipped" / "ml-100k.zip", archive_members)
    server.bodies["/ml-100k.zip"] = archive.read_bytes()
    by_hand = tmp_path / "by-hand" / "raw" / "ml-100k" / "u.data"
    by_hand.parent.mkdir(parents=True)
    by_hand.write_bytes(archive_members["ml-100k/u.data"])
    prepared = {
        "mirror": prepare(small, cache=tmp_path / "1", mirrors=[mirror]),
        "mirror zip": prepare(small, cache=tmp_path / "2", mirrors=[tmp_path / "zipped"]),
        "url": prepare(from_server, cache=tmp_path / "3"),
        "wheel": prepare(from_wheel, cache=tmp_path / "4"),
        "cache": prepare(small, cache=tmp_path / "by-hand"),
    }
    for h in prepared.values():
        check(h)
    assert len({h.digest for h in prepared.values()}) == 1
    titles = {name: None if h.titles is None else h.titles[-1] for name, h in prepared.items()}
    both = "Caf\u00e9 (1990)"
    assert titles == {"mirror": both, "mirror zip": both, "url": both, "wheel": both, "cache": None}


def test_the_digest_sees_every_array_and_not_the_name() -> None:
    rows = pl.DataFrame({"user": [1, 1, 2], "item": [5, 6, 5], "time": [1, 2, 3]})
    base = to_histories("x", rows).digest
    assert to_histories("y", rows, {"5": "title"}).digest == base
    changed = [
        rows.with_columns(user=pl.Series([1, 2, 2])),
        rows.with_columns(user=pl.Series([1, 1, 3])),
        rows.with_columns(item=pl.Series([6, 5, 6])),
        rows.with_columns(item=pl.Series([5, 6, 6])),
        rows.with_columns(time=pl.Series([1, 2, 4])),
        rows.with_columns(time=pl.Series([0, 0, 0])),
        rows.drop("time"),
    ]
    digests = {to_histories("x", table).digest for table in changed}
    assert len(digests) == len(changed) and base not in digests


def test_parameters_have_prepared_sets_of_their_own(tmp_path: Path) -> None:
    first = prepare(Simulated(n_users=5, seed=0), cache=tmp_path)
    second = prepare(Simulated(n_users=5, seed=1), cache=tmp_path)
    assert first.digest != second.digest
    assert len(list((tmp_path / "prepared").iterdir())) == 2


def test_a_user_with_one_interaction_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,item,time\nx,1,5\ny,1,5\ny,2,6\n")
    assert prepare(Files(path=str(tmp_path / "a.csv")), cache=tmp_path).lengths.tolist() == [1, 2]


# --- the prepared cache


def prepared_directory(cache: Path) -> Path:
    (directory,) = (cache / "prepared").iterdir()
    return directory


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def lie_about_digest(path: Path) -> None:
    meta = json.loads(path.read_text())
    path.write_text(json.dumps({**meta, "digest": "0" * 64}))


def other_format(path: Path) -> None:
    meta = json.loads(path.read_text())
    path.write_text(json.dumps({**meta, "format": 0}))


def other_dtype(path: Path) -> None:
    array = np.load(path)
    np.save(path, array.astype(np.float32))  # as many bytes as int32


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("items.npy", cut),
        ("items.npy", Path.unlink),
        ("items.npy", flip_last_byte),
        ("items.npy", other_dtype),
        ("times.npy", flip_last_byte),
        ("user_ids.npy", cut),
        ("meta.json", cut),
        ("meta.json", Path.unlink),
        ("meta.json", lie_about_digest),
        ("meta.json", other_format),
    ],
)
def test_a_damaged_set_is_reported_and_built_again(
    small, mirror: Path, tmp_path: Path, name: str, damage: Callable[[Path], object]
) -> None:
    cache = tmp_path / "cache"
    good = prepare(small, cache=cache, mirrors=[mirror]).digest
    damage(prepared_directory(cache) / name)
    said: list[str] = []
    (cache / "raw/ml-100k/.terms-shown").touch()
    again = prepare(small, cache=cache, announce=said.append)
    check(again)
    assert again.digest == good
    assert len(said) == 1 and "damaged" in said[0]
    assert len(list((cache / "prepared").iterdir())) == 1, "nothing of the damaged set is left"
    assert prepare(small, cache=cache, announce=said.append).digest == good and len(said) == 1


def test_large_sets_are_hashed_on_demand(small, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "VERIFY_BELOW_BYTES", 0)
    prepare(small, cache=tmp_path / "cache", mirrors=[mirror])
    directory = prepared_directory(tmp_path / "cache")
    flip_last_byte(directory / "times.npy")
    store.load(directory)  # not seen: the sizes are right
    with pytest.raises(store.DamagedError, match="digest"):
        store.load(directory, verify=True)


@pytest.mark.parametrize("damage", [cut, lengthen, other_dtype])
def test_wrong_sizes_and_types_are_seen_without_hashing(
    small, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], object]
) -> None:
    prepare(small, cache=tmp_path / "cache", mirrors=[mirror])
    directory = prepared_directory(tmp_path / "cache")
    store.load(directory, verify=False)
    damage(directory / "items.npy")
    with pytest.raises(store.DamagedError, match="items"):
        store.load(directory, verify=False)


def test_pickled_objects_are_not_loaded(small, mirror: Path, tmp_path: Path) -> None:
    prepare(small, cache=tmp_path / "cache", mirrors=[mirror])
    path = prepared_directory(tmp_path / "cache") / "items.npy"
    np.save(path, np.array([{"x": 1}], dtype=object), allow_pickle=True)
    meta = path.with_name("meta.json")
    said = json.loads(meta.read_text())
    said["arrays"]["items"] = {"bytes": path.stat().st_size, "dtype": "|O", "shape": [1]}
    meta.write_text(json.dumps(said))
    with pytest.raises(store.DamagedError, match=r"pickle|object"):
        store.load(path.parent)


@pytest.mark.parametrize(
    "writer", [(Spool, "append"), (ArrayFile, "append"), (np, "save"), (store, "save")], ids=lambda at: at[0].__name__
)
def test_a_crash_while_saving_leaves_nothing_that_could_be_used(
    small, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: tuple[object, str]
) -> None:
    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*writer, full_disk)
    with pytest.raises(UserError, match=r"No space left on device.*RESEARCH_CACHE"):
        prepare(small, cache=tmp_path / "cache", mirrors=[mirror])
    assert list((tmp_path / "cache/prepared").iterdir()) == []
    monkeypatch.undo()
    check(prepare(small, cache=tmp_path / "cache"))


def test_an_unwritable_cache_names_the_path_and_the_mend(tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    with pytest.raises(UserError, match=r"a-file/cache.*RESEARCH_CACHE"):
        prepare(Simulated(n_users=5), cache=blocked / "cache")


def test_who_comes_second_uses_what_is_there(tmp_path: Path) -> None:
    """Another process finishes the same set while we are still reading."""

    class Slow(Simulated):
        def read(self, raw):
            if not (tmp_path / "other").exists():
                (tmp_path / "other").touch()
                (tmp_path / "first").write_text(prepare(self, cache=tmp_path / "cache").digest)
            return super().read(raw)

    h = prepare(Slow(n_users=5), cache=tmp_path / "cache")
    assert h.digest == (tmp_path / "first").read_text()
    assert len(list((tmp_path / "cache" / "prepared").iterdir())) == 1


def test_two_processes_at_once(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "import polars\n"
        "from research.data.prepare import prepare\n"
        "from research.data.sources.simulated import Simulated\n"
        "cache = Path(sys.argv[1])\n"
        "(cache / sys.argv[2]).touch()\n"
        "while not (cache / 'go').exists(): time.sleep(0.001)\n"
        "print(prepare(Simulated(n_users=50), cache=cache / 'data', verify=True).digest)\n"
    )
    root = Path(__file__).resolve().parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", program, str(tmp_path)]
    two = [
        subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True, env=env) for name in ("ready1", "ready2")
    ]
    deadline = time.monotonic() + 120
    while not ((tmp_path / "ready1").exists() and (tmp_path / "ready2").exists()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (tmp_path / "go").touch()
    digests = [process.communicate(timeout=120)[0].strip() for process in two]
    assert [process.returncode for process in two] == [0, 0]
    assert digests[0] == digests[1] == to_histories("simulated", Simulated(n_users=50).read({})).digest
    assert len(list((tmp_path / "data" / "prepared").iterdir())) == 1


def test_a_prepared_set_needs_no_source(small, mirror: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    prepare(small, cache=cache, mirrors=[mirror])
    shutil.rmtree(mirror)
    shutil.rmtree(cache / "raw")
    check(prepare(small, cache=cache))


def test_the_terms_are_shown_once_and_then_the_data_is_used(small, mirror: Path, tmp_path: Path) -> None:
    said: list[str] = []
    for _ in range(2):
        prepare(small, cache=tmp_path / "cache", mirrors=[mirror], announce=said.append)
    assert len(said) == 1 and "GroupLens" in said[0] and "https://" in said[0]


def test_a_round_trip_keeps_every_field(small, mirror: Path, tmp_path: Path) -> None:
    rows = pl.DataFrame({"user": ["\u00e9", "b"], "item": ["x", "\u20ac"], "time": [1, 2]})
    h = to_histories("caf\u00e9", rows, {"x": "X"})
    store.save(h, tmp_path / "one")
    loaded = store.load(tmp_path / "one", verify=True)
    for field in dataclasses.fields(Histories):
        left, right = getattr(h, field.name), getattr(loaded, field.name)
        assert np.array_equal(left, right) if isinstance(left, np.ndarray) else left == right, field.name


# --- where


def test_directories_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("RESEARCH_CACHE", raising=False)
    monkeypatch.delenv("RESEARCH_MIRROR", raising=False)
    assert default_cache() == Path("/home/somebody/.cache/research")
    assert mirrors_from_environment() == ()
    monkeypatch.setenv("RESEARCH_CACHE", "~/here")
    monkeypatch.setenv("RESEARCH_MIRROR", os.pathsep.join(["/a", "", "~/b"]))
    assert default_cache() == Path("/home/somebody/here")
    assert mirrors_from_environment() == (Path("/a"), Path("/home/somebody/b"))
