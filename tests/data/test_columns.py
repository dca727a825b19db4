"""Carried columns and features: coded, sorted with their interactions, stored, cut into batches when somebody reads."""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from research.augmentation.base import Augmented
from research.augmentation.crop import Crop
from research.augmentation.insert import Insert
from research.augmentation.mask import Mask
from research.augmentation.reorder import Reorder
from research.data import store
from research.data.batch import cut
from research.data.columns import Feature, encode, encode_features
from research.data.histories import Histories
from research.data.prepare import prepare, to_histories
from research.data.reading import ReadsColumns, columns_read
from research.data.selection import Selection
from research.data.sources.files import Files
from research.data.sources.globo import Globo
from research.data.sources.mind import Mind
from research.data.sources.movielens import MovieLens
from research.data.sources.movielens_100k import MovieLens100K
from research.data.sources.s3rec import S3Rec
from research.data.sources.simulated import Simulated
from research.data.sources.tricdr import TriCdr
from research.data.split import LeaveOneOut
from research.data.splits.item_cold import ItemCold
from research.errors import UserError
from research.evaluation.blocks import Blocks
from research.evaluation.table import Ranks
from research.objectives.masked_item import MaskedItem
from research.objectives.next_item import NextItem
from research.sizes import Sizes
from research.training.data import HistoryData

ROWS = pl.DataFrame(
    {
        "user": ["b", "a", "b", "a", "b"],
        "item": ["q", "p", "p", "q", "r"],
        "time": [9, 5, 7, 4, 7],
        "rating": [1.0, 2.0, 3.0, 4.0, 5.0],
        "scenario": ["home", "search", None, "home", "mail"],
        "tab": [7, 7, 3, 5, 7],
    }
)
ITEMS = pl.DataFrame({"item": ["p", "r", "unknown"], "genre": [["x", "y"], ["y"], ["z"]], "brand": ["m", None, "n"]})
USERS = pl.DataFrame({"user": ["a", "b"], "age": [30, 40]})


def words(h: Histories, name: str) -> list[str]:
    said = h.words(name, np.arange(len(h.items)))
    assert said is not None
    return said.tolist()


class TestCoding:
    def test_by_hand(self) -> None:
        h = to_histories("x", ROWS, None, ITEMS, USERS)
        # User b: p at 7, r at 7, q at 9 (rows 2, 4, 0); user a: q at 4, p at 5 (rows 3, 1).
        assert list(h.columns) == ["scenario", "tab"], "a rating is no category"
        assert h.columns["scenario"].tolist() == [0, 3, 1, 1, 2] and h.columns["scenario"].dtype == np.uint8
        assert h.vocabularies["scenario"].tolist() == ["home", "search", "mail"], "by first appearance in the file"
        assert h.columns["tab"].tolist() == [2, 1, 1, 3, 1] and h.vocabularies["tab"].tolist() == ["7", "3", "5"]
        assert words(h, "scenario") == ["", "mail", "home", "home", "search"]
        assert h.words("domain", np.array([0])) is None
        # Items are q, p, r; q is not in the table, and the table's unknown item is not in the data.
        assert [h.item_features["genre"].of(row) for row in range(3)] == [[], ["x", "y"], ["y"]]
        assert h.item_features["genre"].rectangle().tolist() == [[0, 0], [1, 2], [2, 0]]
        assert [h.item_features["brand"].of(row) for row in range(3)] == [[], ["m"], []]
        assert [h.user_features["age"].of(row) for row in range(2)] == [["40"], ["30"]]
        assert len(h.item_features["genre"]) == 3 and h.columns_digest

    @settings(deadline=None)
    @given(
        values=st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "b", "\u00e9", "long name"])), max_size=30),
        number=st.booleans(),
    )
    def test_codes_against_a_loop(self, values: list[str | None], number: bool) -> None:
        series = pl.Series(values, dtype=pl.String)
        if number:
            series = pl.Series([None if v is None else len(v) for v in values], dtype=pl.Int64)
        codes, names = encode(series)
        distinct = [str(v) for v in dict.fromkeys(series.to_list()) if v is not None]
        assert names.tolist() == distinct
        assert codes.tolist() == [0 if v is None else distinct.index(str(v)) + 1 for v in series.to_list()]

    def test_many_values_take_a_wider_type(self) -> None:
        assert encode(pl.Series(range(255)))[0].dtype == np.uint8
        codes, names = encode(pl.Series(range(256)))
        assert codes.dtype == np.uint16 and codes[-1] == 256 and len(names) == 256

    def test_of_equal_ids_the_first_counts_and_nothing_is_fine(self) -> None:
        table = pl.DataFrame({"item": [1, 1], "c": ["x", "y"]})
        assert encode_features(table, "item", np.array(["1"]))["c"].of(0) == ["x"]
        assert encode_features(None, "item", np.array(["1"])) == {}
        empty = encode_features(pl.DataFrame({"item": [9], "c": ["x"]}), "item", np.array(["1"]))["c"]
        assert empty.rectangle().tolist() == [[0]] and len(empty.names) == 0


class TestStore:
    @pytest.fixture
    def histories(self) -> Histories:
        return to_histories("x", ROWS, None, ITEMS, USERS)

    def test_a_round_trip(self, histories: Histories, tmp_path: Path) -> None:
        odd = replace(
            histories,
            columns={"../up and away": histories.columns["tab"]},
            vocabularies={"../up and away": histories.vocabularies["tab"]},
        )
        odd = replace(odd, columns_digest=store.columns_digest_of(odd))
        for number, h in enumerate((histories, odd, to_histories("plain", ROWS.select("user", "item")))):
            store.save(h, tmp_path / str(number))
            loaded = store.load(tmp_path / str(number), verify=True)
            assert loaded.columns_digest == h.columns_digest
            for kind in ("columns", "vocabularies"):
                left, right = getattr(h, kind), getattr(loaded, kind)
                assert list(left) == list(right)
                assert all(np.array_equal(left[k], right[k]) and left[k].dtype == right[k].dtype for k in left)
            for kind in ("item_features", "user_features"):
                left, right = getattr(h, kind), getattr(loaded, kind)
                assert list(left) == list(right)
                for name in left:
                    for part in dataclasses.fields(Feature):
                        assert np.array_equal(getattr(left[name], part.name), getattr(right[name], part.name))
        assert isinstance(loaded.items, np.memmap) and loaded.columns_digest == ""
        assert isinstance(store.load(tmp_path / "0").columns["tab"], np.memmap)
        assert not list(tmp_path.glob("*away*"))

    def test_damage_is_seen(self, histories: Histories, tmp_path: Path) -> None:
        store.save(histories, tmp_path / "good")
        files = [p for p in (tmp_path / "good").glob("*.npy") if p.name.startswith(("column-", "item_f", "user_f"))]
        assert len(files) == 2 * 2 + 3 * 3
        for path in files:
            bad = tmp_path / "bad"
            shutil.copytree(tmp_path / "good", bad)
            content = bytearray((bad / path.name).read_bytes())
            content[-1 if "names" not in path.name else -4] ^= 1
            (bad / path.name).write_bytes(bytes(content))
            with pytest.raises(store.DamagedError, match="digest"):
                store.load(bad)
            (bad / path.name).unlink()
            with pytest.raises(store.DamagedError):
                store.load(bad, verify=False)
            shutil.rmtree(bad)

    def test_columns_do_not_change_the_digest_of_interactions(self, histories: Histories) -> None:
        plain = to_histories("x", ROWS.select("user", "item", "time"))
        assert plain.digest == histories.digest and plain.columns_digest == ""
        others = [
            to_histories("x", ROWS.with_columns(tab=pl.Series([7, 7, 3, 7, 7])), None, ITEMS, USERS),
            to_histories("x", ROWS.with_columns(tab=pl.Series([7, 7, 3, 6, 7])), None, ITEMS, USERS),
            to_histories("x", ROWS.rename({"tab": "t"}), None, ITEMS, USERS),
            to_histories("x", ROWS, None, ITEMS),
            to_histories("x", ROWS, None, ITEMS.drop("brand"), USERS),
        ]
        assert len({h.columns_digest for h in others} | {histories.columns_digest}) == 6
        assert {h.digest for h in others} == {histories.digest}
        swapped = to_histories("x", ROWS.select("user", "item", "time", "tab", "scenario"), None, ITEMS, USERS)
        assert swapped.columns_digest == histories.columns_digest, "the order of columns says nothing"


class TestFiles:
    TEXT = "who,item,time,device,page\nu,a,5,tv,x\nv,b,6,,y\nu,b,4,phone,x\nu,c,4,tv,z\n"

    def prepared(self, tmp_path: Path, selection: Selection | None = None, **settings) -> Histories:
        (tmp_path / "mine.csv").write_text(self.TEXT)
        source = Files(path=str(tmp_path / "mine.csv"), user="who", **settings)
        return prepare(source, cache=tmp_path / "cache", selection=selection)

    def test_named_columns_travel_with_their_interactions(self, tmp_path: Path) -> None:
        h = self.prepared(tmp_path, carry=["device"])
        assert list(h.columns) == ["device"]
        assert h.item_ids[h.items - 1].tolist() == ["b", "c", "a", "b"]
        assert words(h, "device") == ["phone", "tv", "tv", ""]
        assert not self.prepared(tmp_path).columns

    def test_what_a_selection_leaves_out_leaves_no_name(self, tmp_path: Path) -> None:
        h = self.prepared(tmp_path, Selection(user_core=2), carry=["page", "device"])
        assert words(h, "page") == ["x", "z", "x"] and h.vocabularies["page"].tolist() == ["x", "z"]
        twin = to_histories(
            "mine", Files(path=str(tmp_path / "mine.csv"), user="who", carry=["page", "device"]).read({})[[0, 2, 3]]
        )
        assert twin.columns_digest == h.columns_digest and twin.digest == h.digest

    def test_mistakes(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"no column 'mood'.*device.*data\.carry"):
            self.prepared(tmp_path, carry=["mood"])
        with pytest.raises(UserError, match=r"data\.carry has 'time'"):
            self.prepared(tmp_path, carry=["time"])


class TestSources:
    def test_globo(self) -> None:
        names = ("user_id", "session_id", "click_article_id", "click_timestamp", "click_environment")
        head = ",".join((*names, "click_deviceGroup", "click_referrer_type"))
        raw = {"clicks_hour_000.csv": f"{head}\n1,77,5,1500000000500,4,3,2\n1,78,6,1500000001000,4,1,7\n".encode()}
        for chosen, wanted in (("referrer", ["2", "7"]), ("device", ["3", "1"])):
            h = to_histories("globo", Globo(scenario=chosen).read(raw))  # type: ignore[arg-type]
            assert words(h, "scenario") == wanted
            said = [words(h, name) for name in ("session", "device", "referrer", "environment")]
            assert said == [["77", "78"], ["3", "1"], ["2", "7"], ["4", "4"]]

    def test_mind(self) -> None:
        line = "N1\tsports\tgolf\tA title\tabstract\turl\t[]\t[]\n"
        table = Mind(size="small").item_features({"train-news.tsv": (line + line.replace("N1", "N2")).encode()})
        assert table is not None
        assert table.rows() == [("N1", "sports", "golf"), ("N2", "sports", "golf")]
        assert Mind(size="small").item_features({}) is None

    def test_movielens_100k_from_the_archive_and_from_the_wheel(self) -> None:
        flags = ["0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0", "1" + "|0" * 18]
        u_item = "\n".join(f"{n}|T|01-Jan-1995||url|{flag}" for n, flag in enumerate(flags, 1)).encode()
        atomic = b"item_id:token\ttitle\tyear\tclass\n1\tT\t1995\tAnimation Children's Comedy\n2\tT\t1995\tunknown\n"
        users = {"u.user": b"1|24|M|technician|85711\n2|53|F|other|94043\n"}
        of_wheel = {
            "ml-100k.user": b"user_id\tage\tgender\toccupation\tzip\n1\t24\tM\ttechnician\t85711\n2\t53\tF\tother\t9\n"
        }
        source = MovieLens100K()
        for raw in ({"u.item": u_item, **users}, {"ml-100k.item": atomic, **of_wheel}):
            items, people = source.item_features(raw), source.user_features(raw)
            assert items is not None and people is not None
            assert items.rows() == [("1", ["Animation", "Children's", "Comedy"]), ("2", ["unknown"])]
            assert people.columns == ["user", "age", "gender", "occupation"]
            assert people.rows() == [("1", "24", "M", "technician"), ("2", "53", "F", "other")]
        assert source.item_features({}) is source.user_features({}) is None

    def test_movielens(self) -> None:
        dat = {
            "movies.dat": b"1::Toy Story (1995)::Animation|Comedy\n2::A::B (1990)::Drama\n",
            "users.dat": b"1::F::1::10::48067\n",
        }
        items, people = MovieLens(size="1m").item_features(dat), MovieLens(size="1m").user_features(dat)
        assert items is not None and people is not None
        assert items.rows() == [("1", ["Animation", "Comedy"]), ("2", ["Drama"])]
        assert people.rows() == [("1", "F", "1", "10")]
        text = b'movieId,title,genres\n1,"Heat, The",Action|Crime\n2,X,(no genres listed)\n'
        items = MovieLens(size="20m").item_features({"movies.csv": text})
        assert items is not None and items.rows() == [("1", ["Action", "Crime"]), ("2", [])]
        assert "users.dat" in [file.name for file in MovieLens(size="1m").files()]

    def test_s3rec(self) -> None:
        source = S3Rec(category="beauty")
        table = source.item_features({"Beauty_item2attributes.json": b'{"4": [1, 2], "83": [2]}'})
        assert table is not None and table.rows() == [("4", [1, 2]), ("83", [2])]
        assert source.item_features({}) is None
        for wrong in (b"[1]", b'{"1": 5}', b"{"):
            with pytest.raises(UserError, match="no JSON object of items"):
                source.item_features({"Beauty_item2attributes.json": wrong})
        rows = source.read({"Beauty.txt": b"1 5 6\n", "Beauty_item2attributes.json": b"{}"})
        assert rows.rows() == [(1, 5), (1, 6)]

    def test_tricdr(self) -> None:
        h = to_histories("x", TriCdr().read({"mix.txt": b"1 5 37869\n"}))
        assert words(h, "domain") == ["toy", "game"]

    def test_simulated(self) -> None:
        source = Simulated(n_users=60, scenario_spread=0.3)
        rows = source.read({})
        h = to_histories("simulated", rows, None, source.item_features({}))
        pause = rows.with_columns(
            gap=pl.col("time").diff().over("user"), same=pl.col("session") == pl.col("session").shift()
        )
        inside, between = pause.filter(pl.col("same"))["gap"], pause.filter(~pl.col("same"))["gap"].drop_nulls()
        assert rows.group_by("session").agg(pl.col("user", "scenario").n_unique())[
            ["user", "scenario"]
        ].unique().rows() == [(1, 1)]
        assert inside.mean() < 1000 and between.min() >= 43_200  # type: ignore[operator]
        share = source.true_share()
        for scenario, level in (("search", 0.9), ("browse", 0.3)):
            of = share[(rows["scenario"] == scenario).to_numpy()]
            assert np.allclose(of[of > 0], level) and len(of) > 100
        genre = h.item_features["genre"]
        domain = {genre.of(i - 1)[0]: said for i, said in zip(h.items.tolist(), words(h, "domain"), strict=True)}
        assert all(
            domain[genre.of(i - 1)[0]] == said for i, said in zip(h.items.tolist(), words(h, "domain"), strict=True)
        )
        assert set(domain.values()) == {"films", "series"} and len(domain) == 10
        with pytest.raises(UserError, match="scenario_spread"):
            Simulated(share_short=0.6, scenario_spread=0.5)

    @pytest.mark.shared
    def test_real_files(self, shared_data: Path, tmp_path: Path) -> None:
        h = prepare(MovieLens100K(), cache=tmp_path, mirrors=[shared_data])
        genre = h.item_features["genre"]
        names = {title: genre.of(row) for row, title in enumerate(h.titles.tolist())}  # type: ignore[union-attr]
        assert names["Toy Story (1995)"] == ["Animation", "Children's", "Comedy"]
        assert len(genre.codes) == 2893 and len(genre.names) == 19  # the archive's own count of flags
        user = h.user_ids.tolist().index("196")
        assert [h.user_features[name].of(user) for name in ("age", "gender", "occupation")] == [
            ["49"],
            ["M"],
            ["writer"],
        ]
        beauty = prepare(S3Rec(category="beauty"), cache=tmp_path, mirrors=[shared_data])
        lists = json.loads((shared_data / "s3rec" / "Beauty_item2attributes.json").read_text())
        attribute = beauty.item_features["attribute"]
        for row, item in enumerate(beauty.item_ids.tolist()):
            assert attribute.of(row) == [str(one) for one in lists.get(item, [])]


@pytest.fixture
def coded(simulated: Histories) -> Histories:
    """A column that names the item, so that whatever moves one must move the other."""
    names = np.array([str(i) for i in range(1, simulated.n_items + 1)])
    columns = {**simulated.columns, "twin": simulated.items.astype(np.uint8)}
    return replace(simulated, columns=columns, vocabularies={**simulated.vocabularies, "twin": names})


SIZES = Sizes(width=8, max_length=12, n_items=40, n_users=20)
TOKEN = 41


class TestBatches:
    def test_columns_are_cut_when_asked_for(self, coded: Histories) -> None:
        args = (coded, np.array([0, 1]), coded.offsets[[0, 1]], coded.offsets[[1, 2]])
        assert cut(*args).columns == {}
        batch = cut(*args, columns=("twin", "scenario"))
        assert torch.equal(batch.columns["twin"], batch.items_BT) and batch.columns["twin"].dtype == torch.int64
        for row in range(2):
            a, b = coded.offsets[row : row + 2]
            length = int(batch.length_B[row])
            assert batch.columns["scenario"][row, :length].tolist() == coded.columns["scenario"][a:b].tolist()
            assert batch.columns["scenario"][row, length:].sum() == 0
        moved = batch.to(torch.device("meta"))
        assert moved.columns["twin"].is_meta and moved.items_BT.is_meta

    @pytest.mark.parametrize(
        "augmentations",
        [
            {},
            {"crop": Crop(SIZES, 2, probability=1.0, ratio=0.5)},
            {"reorder": Reorder(SIZES, 2, probability=1.0, ratio=0.9)},
            {"mask": Mask(SIZES, 2, rate=0.4)},
        ],
        ids=["none", "crop", "reorder", "mask"],
    )
    @pytest.mark.parametrize("objective", [NextItem(TOKEN), MaskedItem(TOKEN, rate=0.3)], ids=["next", "masked"])
    def test_what_moves_an_item_moves_its_columns(self, coded: Histories, augmentations, objective) -> None:
        augmented = Augmented(objective, augmentations)
        split = ItemCold(share=0.1)(coded)
        data = HistoryData(coded, split, augmented, max_length=12, batch_size=7, seed=3, columns=("twin",))
        for supervised in data.train_dataloader():
            items_BT, twin_BT = supervised.batch.items_BT, supervised.batch.columns["twin"]
            assert torch.equal(twin_BT, torch.where(items_BT == TOKEN, 0, items_BT)), "of a hidden item nothing is said"
        for supervised in HistoryData(coded, split, augmented, max_length=12, batch_size=7, seed=3).train_dataloader():
            assert not supervised.batch.columns
        for block in data.test_dataloader():
            items_BT = block.batch.items_BT
            assert torch.equal(block.batch.columns["twin"], torch.where(items_BT == TOKEN, 0, items_BT))

    def test_noise_says_what_the_item_before_it_says(self, coded: Histories) -> None:
        noisy = Augmented(
            NextItem(TOKEN), {"insert": Insert(replace(SIZES, max_length=40), 2, probability=1.0, ratio=0.5)}
        )
        split = LeaveOneOut()(coded)
        data = HistoryData(coded, split, noisy, max_length=12, batch_size=7, seed=3, columns=("twin",))
        added = 0
        for supervised in data.train_dataloader():
            items_BT, twin_BT = supervised.batch.items_BT, supervised.batch.columns["twin"]
            for items, twin in zip(items_BT.tolist(), twin_BT.tolist(), strict=True):
                length = sum(i > 0 for i in items)
                assert items[0] == twin[0] and not any(twin[length:]) and all(twin[:length])
                for t in range(1, length):  # nobody sees an item twice, so a repeated twin is noise
                    added += twin[t] == twin[t - 1]
                    assert items[t] == twin[t] or twin[t] == twin[t - 1]
        assert added > 20

    def test_blocks(self, coded: Histories) -> None:
        queries = LeaveOneOut()(coded).test
        block = Blocks(coded, queries, NextItem(TOKEN), 5, ("twin",))[np.array([2, 0])]
        assert torch.equal(block.batch.columns["twin"], block.batch.items_BT)
        assert not Blocks(coded, queries, NextItem(TOKEN), 5)[np.array([2, 0])].batch.columns


class Reader(nn.Module, ReadsColumns):
    def __init__(self, *columns: str) -> None:
        super().__init__()
        self.columns = columns


class TestReading:
    def test_every_part_that_reads_is_found(self, coded: Histories) -> None:
        model = nn.Sequential(Reader("twin"), nn.Sequential(Reader("scenario", "twin")), nn.Linear(1, 1))
        assert columns_read(model.modules(), coded) == ("scenario", "twin")
        assert columns_read(nn.Linear(1, 1).modules(), coded) == ()

    def test_a_column_that_is_not_there(self, coded: Histories) -> None:
        with pytest.raises(UserError, match=r"reads the column 'mood'.*'simulated' has: .*scenario"):
            columns_read(Reader("mood").modules(), coded)


class TestRanks:
    def rows(self, histories: Histories, split, chosen: list[int]) -> Ranks:
        counts = (np.arange(len(chosen)), np.zeros(len(chosen)), np.full(len(chosen), 9))
        return Ranks.of_queries(histories, split.test, np.array(chosen), *counts, weight_B2=None)

    def test_scenario_and_cold_stand_in_the_stored_table(self, coded: Histories) -> None:
        split = ItemCold(share=0.4)(coded)
        both = Ranks.gather([self.rows(coded, split, [3, 1]), self.rows(coded, split, [0])]).to_arrow().to_pydict()
        assert split.test.cold is not None
        chosen = [0, 1, 3]
        assert both["cold"] == split.test.cold[chosen].tolist() and len(set(split.test.cold.tolist())) == 2
        code = coded.columns["scenario"][split.test.target[chosen]]
        assert both["scenario"] == coded.vocabularies["scenario"][code - 1].tolist()

    def test_without_them_there_is_no_such_column(self, make_histories) -> None:
        histories = make_histories([1, 2, 3])
        table = self.rows(histories, LeaveOneOut()(histories), [0]).to_arrow()
        assert {"scenario", "cold", "query"} & set(table.column_names) == set()
