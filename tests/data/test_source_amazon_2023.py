"""Amazon 2023 and a pair of categories, on small files in the exact raw formats. Expected rows are written by hand."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from research.data.prepare import prepare
from research.data.sources.amazon_2023 import Amazon2023
from research.data.sources.amazon_pair import AmazonPair
from research.errors import UserError

CSV = (
    b"user_id,parent_asin,rating,timestamp\r\n"
    b"AFKZ,B0001,5.0,1588687728923\r\n"
    b"AFKZ,B0002,1.0,1588687728100\r\n"
    b"AHV6,0001234567,4.0,1325376000000\r\n"
)
JSONL = (
    b'{"rating": 5.0, "title": "a \\"b\\"\\nc", "text": "x", "images": [], "asin": "B0001R", "parent_asin": "B0001", '
    b'"user_id": "AFKZ", "timestamp": 1588687728923, "helpful_vote": 0, "verified_purchase": true}\n'
    b'{"rating": 4, "title": "", "text": "", "images": [{"hi_res": null}], "asin": "B0001", "parent_asin": "B0001", '
    b'"user_id": "AFKZ", "timestamp": 1588687728924, "helpful_vote": 3, "verified_purchase": false}\n\n'
)
META = (
    '{"main_category": "Books", "title": "Caf\u00e9 \\"so\\" ", "parent_asin": "B0001", "price": null}\n'
    '{"main_category": "Books", "title": null, "parent_asin": "B0002"}\n{"title": "of nothing"}\n'
).encode()


def test_ratings_are_in_milliseconds_and_sorted_by_them() -> None:
    table = Amazon2023(category="Books").read({"Books.csv": CSV})
    assert table.select("user", "item", "rating", "time").rows() == [
        ("AHV6", "0001234567", 4.0, 1325376000),
        ("AFKZ", "B0002", 1.0, 1588687728),
        ("AFKZ", "B0001", 5.0, 1588687728),
    ]


def test_raw_reviews_keep_repeats_and_know_the_parent() -> None:
    table = Amazon2023(category="Books", core="raw").read({"Books.jsonl": JSONL})
    assert table.select("user", "item", "rating", "time").rows() == [
        ("AFKZ", "B0001", 5.0, 1588687728),
        ("AFKZ", "B0001", 4.0, 1588687728),
    ]
    with pytest.raises(UserError, match=r"Books\.jsonl: 1 malformed line \(4\)"):
        Amazon2023(category="Books", core="raw").read({"Books.jsonl": JSONL + b'{"rating": 5.0, "user_'})


def test_seconds_in_place_of_milliseconds_are_not_taken_for_1970() -> None:
    with pytest.raises(UserError, match="the times are seconds"):
        Amazon2023(category="Books").read(
            {"Books.csv": CSV.replace(b"000000\r", b"000\r").replace(b"728923", b"728").replace(b"728100", b"728")}
        )


def test_titles_belong_to_parents_and_are_fetched_on_request_only() -> None:
    source = Amazon2023(category="Books")
    assert source.titles({"Books.csv": CSV, "meta_Books.jsonl": META}) == {"B0001": 'Caf\u00e9 "so"', "B0002": ""}
    assert source.titles({"Books.csv": CSV}) is None
    assert [file.optional for file in source.files()] == [False, True]
    assert [file.optional for file in Amazon2023(category="Books", titles_too=True).files()] == [False, False]


def test_the_files_of_the_three_cores_are_told_apart() -> None:
    paths = {}
    for core in ("5core", "all", "raw"):
        file = Amazon2023(category="Books", core=core).files()[0]
        assert file.hub is not None and file.hub.repo == "McAuley-Lab/Amazon-Reviews-2023"
        assert file.urls[0].at.endswith(f"{file.hub.path}.gz")
        paths[core] = file.hub.path
    assert paths == {
        "5core": "benchmark/5core/rating_only/Books.csv",
        "all": "benchmark/0core/rating_only/Books.csv",
        "raw": "raw/review_categories/Books.jsonl",
    }
    with pytest.raises(UserError, match="core is '3core'"):
        Amazon2023(core="3core")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="'All Beauty' is not a category"):
        Amazon2023(category="All Beauty")


def test_end_to_end_from_a_copy_of_the_hub(tmp_path: Path) -> None:
    folder = tmp_path / "m/amazon-2023/benchmark/5core/rating_only"
    folder.mkdir(parents=True)
    (folder / "Books.csv.gz").write_bytes(gzip.compress(CSV))
    meta = tmp_path / "m/amazon-2023/raw/meta_categories"
    meta.mkdir(parents=True)
    (meta / "meta_Books.jsonl").write_bytes(META)
    h = prepare(Amazon2023(category="Books"), cache=tmp_path / "c", mirrors=[tmp_path / "m"])
    names = h.item_ids[h.items - 1].tolist()
    by_user = {u: names[h.offsets[n] : h.offsets[n + 1]] for n, u in enumerate(h.user_ids.tolist())}
    assert by_user == {"AHV6": ["0001234567"], "AFKZ": ["B0002", "B0001"]}
    assert h.titles is not None and dict(zip(h.item_ids.tolist(), h.titles.tolist(), strict=True))["B0001"] == (
        'Caf\u00e9 "so"'
    )


class TestPair:
    HEAD = b"user_id,parent_asin,rating,timestamp\n"
    TOYS = HEAD + b"both,T1,5.0,1588687700000\nboth,T2,5.0,1588687720000\nboth,S,5.0,1588687740000\n"
    TOYS += b"toys,T1,5.0,1588687700000\ntoys,T2,5.0,1588687700000\nfew,T1,4.0,1588687700000\n"
    GAMES = HEAD + b"few,G1,5.0,1588687700000\nfew,G2,5.0,1588687700000\n"
    GAMES += b"both,G1,5.0,1588687720000\nboth,S,1.0,1588687710000\ngames,G2,1.0,1588687710000\n"

    def raw(self) -> dict[str, bytes]:
        return {"Toys_and_Games.csv": self.TOYS, "Video_Games.csv": self.GAMES}

    def test_only_who_has_enough_in_both_is_kept_in_one_order_of_time(self) -> None:
        table = AmazonPair(min_each=2).read(self.raw())
        assert table.select("user", "item", "domain", "time").rows() == [
            ("both", "T1", "Toys_and_Games", 1588687700),
            ("both", "S", "Video_Games", 1588687710),
            ("both", "T2", "Toys_and_Games", 1588687720),
            ("both", "G1", "Video_Games", 1588687720),
            ("both", "S", "Toys_and_Games", 1588687740),
        ]
        kept = AmazonPair(min_each=1).read(self.raw())["user"].unique().to_list()
        assert sorted(kept) == ["both", "few"]
        assert AmazonPair(min_each=4).read(self.raw()).is_empty()

    def test_titles_of_both(self) -> None:
        meta = {"meta_Toys_and_Games.jsonl": b'{"parent_asin": "T1", "title": "Toy"}\n'}
        assert AmazonPair().titles({**self.raw(), **meta}) == {"T1": "Toy"}
        meta["meta_Video_Games.jsonl"] = b'{"parent_asin": "G1", "title": "Game"}\n'
        assert AmazonPair().titles({**self.raw(), **meta}) == {"T1": "Toy", "G1": "Game"}
        assert AmazonPair().titles(self.raw()) is None

    def test_a_pair_of_older_years_too(self) -> None:
        review = '{{"overall": 5.0, "reviewerID": "{}", "asin": "{}", "unixReviewTime": {}}}\n'
        toys = review.format("both", "T1", 86400) + review.format("other", "T1", 86400)
        raw = {"Toys_and_Games_5.json": toys.encode(), "Video_Games_5.json": review.format("both", "G", 0).encode()}
        table = AmazonPair(year=2018, min_each=1).read(raw)
        assert table.select("item", "domain").rows() == [("G", "Video_Games"), ("T1", "Toys_and_Games")]
        with pytest.raises(UserError, match="min_each"):
            AmazonPair(min_each=0)
