"""Each source reads its raw format; the simulated one has a signal; the real files have the known counts."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import sys
from pathlib import Path

import numpy as np
import pytest

from research.data.prepare import prepare, to_histories
from research.data.sources.amazon import AmazonReviews
from research.data.sources.amazon_2023 import Amazon2023
from research.data.sources.amazon_pair import AmazonPair
from research.data.sources.files import Files
from research.data.sources.movielens_100k import MovieLens100K
from research.data.sources.s3rec import S3Rec
from research.data.sources.sasrec_ml_1m import SasrecMovieLens1M
from research.data.sources.simulated import Simulated
from research.data.split import LeaveOneOut
from research.errors import UserError

CONFIGS = sorted((Path(__file__).resolve().parents[2] / "configs" / "data").glob("*.yaml"))


# --- formats


def test_movielens_rows_come_in_file_order() -> None:
    table = MovieLens100K().read({"u.data": b"196\t242\t3\t881250949\n186\t302\t5\t891717742\n"})
    assert table.columns == ["user", "item", "rating", "time"]
    assert table.rows() == [(196, 242, 3, 881250949), (186, 302, 5, 891717742)]


def test_movielens_titles_from_the_archive_and_from_the_wheel_are_the_same() -> None:
    source = MovieLens100K()
    u_item = b"1|Toy Story (1995)|01-Jan-1995||http://x|0\n2|Am\xe9lie (2001) |01-Jan-2001||http://x|0\n"
    u_item += b"267|unknown||||1\n1412|III (1995) (V)|\n"
    rows = ["item_id:token\ttitle\tyear\tclass", "1\tToy Story\t1995\tx", "2\tAm\u00e9lie\t2001\tx"]
    rows += ["267\tunkonwn\tunkonwn\tx", "1412\tIII\t1995) (V\tx"]
    wanted = {"1": "Toy Story (1995)", "2": "Am\u00e9lie (2001)", "267": "unknown", "1412": "III (1995) (V)"}
    assert source.titles({"u.item": u_item}) == wanted
    assert source.titles({"ml-100k.item": "\n".join(rows).encode()}) == wanted
    assert source.titles({}) is None


def test_a_pinned_format_that_is_not_met_is_a_clear_error() -> None:
    with pytest.raises(UserError, match=r"u\.data is not a table of 4 integers"):
        MovieLens100K().read({"u.data": b"1\tx\t3\t4\n"})


def test_sasrec_rows() -> None:
    assert SasrecMovieLens1M().read({"ml-1m.txt": b"1 7\n1 3\n2 7\n"}).rows() == [(1, 7), (1, 3), (2, 7)]


def test_s3rec_lines_become_rows() -> None:
    table = S3Rec(category="beauty").read({"Beauty.txt": b"1 5 6 5\n2 6\n"})
    assert table.rows() == [(1, 5), (1, 6), (1, 5), (2, 6)]
    with pytest.raises(UserError, match="not 'user item item"):
        S3Rec(category="beauty").read({"Beauty.txt": b"1 5 x\n"})


def test_an_unknown_category_names_the_known_ones() -> None:
    with pytest.raises(UserError, match="beauty, sports, toys, yelp"):
        S3Rec(category="books")  # type: ignore[arg-type]


# --- configurations


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_writes_the_defaults_of_the_code(path: Path) -> None:
    from omegaconf import OmegaConf

    assert path.read_text().startswith("# ")
    values = OmegaConf.to_container(OmegaConf.load(path))
    assert isinstance(values, dict)
    module, _, name = str(values.pop("_target_")).rpartition(".")
    kind = getattr(importlib.import_module(module), name)
    source = kind(**{str(key): value for key, value in values.items()})
    assert set(values) == {field.name for field in dataclasses.fields(kind)}, "every field is written"
    if kind in (AmazonReviews, Amazon2023, AmazonPair):  # the category, told in the name, is the user's choice
        assert source.name.startswith(f"{path.stem}-")
    else:
        assert source.name == path.stem
    # What has no default tells the files of one class apart.
    fields = dataclasses.fields(kind)
    own = {f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING}
    assert source == kind(**{key: values[key] for key in own})


def test_there_is_a_config_for_every_source() -> None:
    import research.data.sources as package

    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    targets = {
        str(line.split(".")[3]) for path in CONFIGS for line in path.read_text().splitlines() if "_target_" in line
    }
    assert targets == modules


# --- simulated


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_users": 0},
        {"n_items": 19},
        {"mean_length": 4},
        {"mean_length": 101},
        {"share_short": 1.1},
        {"seed": -1},
    ],
    ids=str,
)
def test_a_value_out_of_range_is_named(wrong: dict) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        Simulated(**wrong)


def test_simulation_depends_on_the_seed_alone() -> None:
    first = Simulated(n_users=20, seed=3).read({})
    assert first.equals(Simulated(n_users=20, seed=3).read({}))
    assert not first.equals(Simulated(n_users=20, seed=4).read({}))


def test_simulated_histories_look_like_sessions() -> None:
    h = to_histories("simulated", Simulated().read({}))
    assert (h.n_users, h.n_items) == (300, 200)
    assert h.lengths.min() >= 5 and h.lengths.max() <= 100
    assert 20 < h.lengths.mean() < 40
    gaps = np.concatenate([np.diff(h.times[a:b]) for a, b in zip(h.offsets, h.offsets[1:], strict=False)])
    assert gaps.min() == 0 and 0.01 < np.mean(gaps == 0) < 0.10, "a few equal times"
    assert not np.any((gaps > 3 * 3600) & (gaps < 12 * 3600)), "minutes within a session, half a day or more between"
    assert 0.1 < np.mean(gaps >= 12 * 3600) < 0.25
    for u in range(h.n_users):
        history = h.items[h.offsets[u] : h.offsets[u + 1]]
        assert len(set(history.tolist())) == len(history), "nobody sees an item twice"


def hits_at_10(source: Simulated) -> tuple[float, float]:
    """Hit rate of popularity, and of counted transitions from the last three items."""
    h = to_histories("simulated", source.read({}))
    split = LeaveOneOut()(h)
    popularity = np.zeros(h.n_items + 1)
    follows = np.zeros((h.n_items + 1, h.n_items + 1))
    for start, stop in zip(split.train.start, split.train.stop, strict=True):
        span = h.items[start:stop]
        np.add.at(popularity, span, 1)
        np.add.at(follows, (span[:-1], span[1:]), 1)
    hits = np.zeros(2)
    for start, stop, target in zip(split.test.start, split.test.stop, split.test.target, strict=True):
        seen = h.items[start:stop]
        for k, score in enumerate((popularity, follows[seen[-3:]].sum(0) + 1e-6 * popularity)):
            score = score.copy()
            score[seen] = -1
            score[0] = -1
            hits[k] += np.sum(score > score[h.items[target]]) < 10
    by_popularity, by_transition = hits / len(split.test)
    return float(by_popularity), float(by_transition)


def test_simulated_data_has_a_sequential_signal_that_share_short_controls() -> None:
    popularity, transitions = hits_at_10(Simulated())
    assert transitions > popularity + 0.15
    assert hits_at_10(Simulated(share_short=0.0))[1] < transitions < hits_at_10(Simulated(share_short=1.0))[1]


# --- the user's own file


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_own_csv_with_header_in_any_order(tmp_path: Path) -> None:
    path = write(tmp_path / "shop.csv", 'when,who,what,note\n20,"a,1",x,hello\n10.9,b,y,\n\n10,b,z,"q"\n')
    source = Files(path=path, user="who", item="what", time="when")
    assert source.name == "shop"
    assert source.read({}).rows() == [("a,1", "x", 20), ("b", "y", 10), ("b", "z", 10)]


def test_own_tsv_without_header_or_times(tmp_path: Path) -> None:
    path = write(tmp_path / "plays.tsv", "u1\ti1\t5\nu1\ti2\t4\n")
    source = Files(path=path, columns=["user", "item", "stars"], time=None)
    assert source.read({}).rows() == [("u1", "i1"), ("u1", "i2")]
    h = prepare(source, cache=tmp_path / "cache")
    assert not h.has_times and h.items.tolist() == [1, 2] and h.times.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a,,3", "no item"),
        (",x,3", "no user"),
        ("a,x,soon", "not a number"),
        ("a,x,nan", "not finite"),
        ("a,x", "too short"),
        ("a,x,3,4", "too long"),
    ],
)
def test_malformed_rows_are_counted_and_located(tmp_path: Path, row: str, why: str) -> None:
    text = "user,item,time\na,x,1\n" + f"{row}\n" + "b,y,2\n" + f"{row}\n" * 6
    with pytest.raises(UserError, match=r"7 malformed rows, lines 3, 5, 6, 7, 8, \.\.\.") as caught:
        Files(path=write(tmp_path / "bad.csv", text)).read({})
    assert "bad.csv" in str(caught.value), why


def test_own_file_mistakes_are_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.path"):
        Files().read({})
    with pytest.raises(UserError, match="No such file"):
        prepare(Files(path=str(tmp_path / "absent.csv")), cache=tmp_path)
    path = write(tmp_path / "a.csv", "who,item,time\n1,2,3\n")
    with pytest.raises(UserError, match="no column 'user'; its columns are who, item, time"):
        Files(path=path).read({})
    path = write(tmp_path / "b.csv", "user,item\n1,2\n")
    with pytest.raises(UserError, match=r"data\.time=null"):
        Files(path=path).read({})
    path = write(tmp_path / "c.csv", "user,item,time\n1,2,1700000000000\n")
    with pytest.raises(UserError, match="milliseconds"):
        Files(path=path).read({})
    path = write(tmp_path / "d.csv", "user,item,time\n")
    with pytest.raises(UserError, match="no interactions"):
        prepare(Files(path=path), cache=tmp_path)
    path = write(tmp_path / "e.csv", "")
    with pytest.raises(UserError, match=r"e\.csv"):
        Files(path=path).read({})
    (tmp_path / "f.csv").write_bytes("user,item,time\nJosé,2,3\n".encode("latin-1"))
    with pytest.raises(UserError, match="not UTF-8"):
        Files(path=str(tmp_path / "f.csv")).read({})
    with pytest.raises(UserError, match="separator"):
        Files(separator="::")


def test_a_changed_file_is_prepared_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "user,item,time\n1,2,3\n")
    assert len(prepare(Files(path=path), cache=tmp_path).items) == 1
    write(tmp_path / "a.csv", "user,item,time\n1,2,3\n1,4,5\n")
    assert len(prepare(Files(path=path), cache=tmp_path).items) == 2


# --- the real files


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.shared
def test_real_ml_100k(shared_data: Path, cache: Path) -> None:
    h = prepare(MovieLens100K(), cache=cache, mirrors=[shared_data])
    assert (h.n_users, h.n_items, len(h.items), h.has_times) == (943, 1682, 100_000, True)
    assert h.lengths.min() == 20
    assert h.times.min() == 874_724_710  # 1997-09-20 03:05:10 UTC
    # The slow twin: a stable sort of the file's lines in plain Python.
    rows = [line.split("\t") for line in (shared_data / "ml-100k/u.data").read_text().splitlines()]
    expected: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: int(row[3])):
        expected.setdefault(row[0], []).append(row[1])
    for u, name in enumerate(h.user_ids.tolist()):
        items = h.items[h.offsets[u] : h.offsets[u + 1]]
        assert h.item_ids[items - 1].tolist() == expected[name]
    assert list(dict.fromkeys(row[0] for row in rows)) == h.user_ids.tolist()
    assert h.titles is not None and h.titles[h.item_ids.tolist().index("1")] == "Toy Story (1995)"


@pytest.mark.shared
def test_real_ml_100k_from_the_wheels_file_is_the_same(
    shared_data: Path, tmp_path: Path, fake_pip, cache: Path
) -> None:
    import gzip

    folder = shared_data / "ml-100k" / "recbole"
    inside = "recbole/dataset_example/ml-100k/ml-100k"
    pip = fake_pip(
        {
            f"{inside}.inter": gzip.decompress((folder / "ml-100k.inter.gz").read_bytes()),
            f"{inside}.item": (folder / "ml-100k.item").read_bytes(),
        }
    )

    class OnlyWheel(MovieLens100K):
        def files(self):
            wheels = [(file, file.wheel) for file in super().files() if file.wheel]
            return tuple(
                dataclasses.replace(file, places=(), urls=(), wheel=dataclasses.replace(wheel, pip=pip))
                for file, wheel in wheels
            )

    from_wheel = prepare(OnlyWheel(), cache=tmp_path)
    from_mirror = prepare(MovieLens100K(), cache=cache, mirrors=[shared_data])
    assert from_wheel.digest == from_mirror.digest
    assert from_wheel.titles is not None and from_mirror.titles is not None
    assert from_wheel.titles.tolist() == from_mirror.titles.tolist()
    assert "recbole" not in sys.modules


@pytest.mark.shared
def test_real_ml_1m(shared_data: Path, cache: Path) -> None:
    h = prepare(SasrecMovieLens1M(), cache=cache, mirrors=[shared_data])
    assert (h.n_users, h.n_items, len(h.items), h.has_times) == (6040, 3416, 999_611, False)
    assert h.item_ids[h.items[:3] - 1].tolist() == ["1", "2", "3"]
    assert np.bincount(h.items).min(initial=9, where=np.arange(3417) > 0) >= 5


@pytest.mark.shared
@pytest.mark.parametrize(
    ("category", "counts"),
    [
        ("beauty", (22_363, 12_101, 198_502)),
        ("sports", (35_598, 18_357, 296_337)),
        ("toys", (19_412, 11_924, 167_597)),
        ("yelp", (30_431, 20_033, 316_354)),
    ],
)
def test_real_s3rec(shared_data: Path, cache: Path, category, counts: tuple[int, int, int]) -> None:
    h = prepare(S3Rec(category=category), cache=cache, mirrors=[shared_data])
    assert (h.n_users, h.n_items, len(h.items)) == counts
