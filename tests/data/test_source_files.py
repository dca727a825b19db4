"""The real files: published counts, and properties that their own notes state. Skipped where they are absent."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from research.data.histories import Histories
from research.data.prepare import prepare
from research.data.raw import Place, RawFile
from research.data.selection import Selection
from research.data.source import Source
from research.data.sources.amazon import AmazonReviews
from research.data.sources.bert4rec_beauty import Bert4RecBeauty
from research.data.sources.diginetica import Diginetica
from research.data.sources.foursquare_nyc_535 import FoursquareNyc535
from research.data.sources.globo import Globo
from research.data.sources.movielens import MovieLens
from research.data.sources.movielens_1m_parts import MovieLens1MParts
from research.data.sources.movielens_100k import MovieLens100K
from research.data.sources.s3rec import S3Rec
from research.data.sources.sasrec_ml_1m import SasrecMovieLens1M
from research.data.sources.tricdr import TriCdr
from research.data.sources.yoochoose_100k import Yoochoose100k

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def date(seconds: np.integer) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).date().isoformat()


def counts(h: Histories) -> tuple[int, int, int]:
    return h.n_users, h.n_items, len(h.items)


def sequences(h: Histories, users: dict[str, str], items: dict[str, str]) -> dict[str, list[str]]:
    """Histories by renamed user, items renamed."""
    names = np.array([items[name] for name in h.item_ids.tolist()])
    flat = names[h.items - 1].tolist()
    return {users[name]: flat[h.offsets[u] : h.offsets[u + 1]] for u, name in enumerate(h.user_ids.tolist())}


@pytest.fixture(scope="module")
def selected(shared_data: Path, cache: Path) -> Histories:
    """MovieLens 1M, items of at least five ratings."""
    return prepare(MovieLens1MParts(), cache=cache, mirrors=[shared_data], selection=Selection(item_core=5))


@pytest.mark.parametrize(
    "source",
    [
        MovieLens100K(),
        MovieLens1MParts(),
        SasrecMovieLens1M(),
        *(S3Rec(category=category) for category in ("beauty", "sports", "toys", "yelp")),
        Bert4RecBeauty(),
        *(TriCdr(domain=domain) for domain in ("mix", "toy", "game")),
        FoursquareNyc535(),
        Yoochoose100k(),
    ],
    ids=lambda source: source.name,
)
def test_the_facts_that_are_listed_are_those_of_the_file(source: Source, shared_data: Path, cache: Path) -> None:
    about = source.about
    assert counts(prepare(source, cache=cache, mirrors=[shared_data])) == (about.users, about.items, about.interactions)
    needed = [file for file in source.files() if not file.optional]
    if len(source.files()) == len(needed) and about.download_bytes:  # plain files, not an archive
        folder = cache / "raw" / source.name
        assert about.download_bytes == sum((folder / file.name).stat().st_size for file in needed)


class TestMovieLens1M:
    def test_the_parts_are_the_whole(self, shared_data: Path, cache: Path) -> None:
        h = prepare(MovieLens1MParts(), cache=cache, mirrors=[shared_data])
        assert counts(h) == (6040, 3706, 1_000_209) and h.lengths.min() == 20
        assert h.titles is not None and h.titles[h.item_ids.tolist().index("1")] == "Toy Story (1995)"

    def test_stars_and_true_times(self, shared_data: Path) -> None:
        folder = shared_data / "ml-1m"
        raw = {
            f"ratings.dat.part{n}": gzip.decompress((folder / f"ratings.dat.part{n}.gz").read_bytes()) for n in (1, 2)
        }
        raw["ratings_ts_source.npz"] = (folder / "ratings_ts_source.npz").read_bytes()
        table = MovieLens1MParts().read(raw)
        stars = dict(table["rating"].value_counts().rows())
        assert stars == {1.0: 56_174, 2.0: 107_557, 3.0: 261_197, 4.0: 348_971, 5.0: 226_310}
        assert (~table["exact_time"]).sum() == 86_472

    def test_items_of_five_ratings_are_sasrecs_file(self, selected: Histories, shared_data: Path, cache: Path) -> None:
        """Same users, same items, same order, ties included: by the published map between the two numberings."""
        assert counts(selected) == (6040, 3416, 999_611)

        def numbers(name: str) -> dict[str, str]:
            pairs = (line.split() for line in (shared_data / "ml-1m" / name).read_text().splitlines())
            return dict(pairs)

        sasrec = prepare(SasrecMovieLens1M(), cache=cache, mirrors=[shared_data])
        users, items = numbers("sas_to_original_users.txt"), numbers("sas_to_original_items.txt")
        same = {name: name for name in (*selected.user_ids.tolist(), *selected.item_ids.tolist())}
        assert sequences(sasrec, users, items) == sequences(selected, same, same)

    def test_one_pass_and_all_passes_agree_here(self, selected: Histories, shared_data: Path, cache: Path) -> None:
        once = prepare(
            MovieLens1MParts(),
            cache=cache,
            mirrors=[shared_data],
            selection=Selection(user_core=5, item_core=5, passes=1),
        )
        assert once.digest == selected.digest

    def test_the_official_layout_of_the_same_rows(self, shared_data: Path, tmp_path: Path, cache: Path) -> None:
        folder = tmp_path / "m/ml-1m"
        folder.mkdir(parents=True)
        parts = (gzip.decompress((shared_data / f"ml-1m/ratings.dat.part{n}.gz").read_bytes()) for n in (1, 2))
        (folder / "ratings.dat").write_bytes(b"".join(parts))
        assert (folder / "ratings.dat").stat().st_size == 24_594_131
        (folder / "movies.dat").write_bytes((shared_data / "ml-1m/movies.dat").read_bytes())
        h = prepare(MovieLens(size="1m"), cache=tmp_path / "c", mirrors=[tmp_path / "m"])
        assert h.digest == prepare(MovieLens1MParts(), cache=cache, mirrors=[shared_data]).digest
        assert h.titles is not None and "" not in h.titles.tolist()
        assert "Mis\u00e9rables, Les (1995)" in h.titles.tolist()


class TestAmazon2018:
    @pytest.mark.parametrize(
        ("category", "expected"), [("Gift_Cards", (458, 148, 2972)), ("AMAZON_FASHION", (406, 31, 3176))]
    )
    def test_counts(self, shared_data: Path, cache: Path, category: str, expected: tuple[int, int, int]) -> None:
        h = prepare(AmazonReviews(year=2018, category=category), cache=cache, mirrors=[shared_data])
        assert counts(h) == expected
        assert not np.any(h.times % 86_400), "whole days"

    def test_rows_and_titles_against_a_plain_reading(self, shared_data: Path, cache: Path) -> None:
        h = prepare(AmazonReviews(year=2018, category="Gift_Cards"), cache=cache, mirrors=[shared_data])
        with gzip.open(shared_data / "amazon-2018-small/Gift_Cards_5.json.gz", "rt", encoding="utf-8") as file:
            reviews = [json.loads(line) for line in file]
        wanted = Counter((one["reviewerID"], one["asin"], one["unixReviewTime"]) for one in reviews)
        users = np.repeat(h.user_ids, h.lengths)
        got = zip(users.tolist(), h.item_ids[h.items - 1].tolist(), h.times.tolist(), strict=True)
        assert Counter(got) == wanted
        assert h.titles is not None and all(h.titles.tolist()), "all 148 have a title"

    def test_the_publishers_5_core_is_none_of_ours(self, shared_data: Path, cache: Path) -> None:
        """It holds repeated rows and so users of fewer than 5 items; filtered again it is another set."""
        source = AmazonReviews(year=2018, category="Gift_Cards")
        again = prepare(
            source,
            cache=cache,
            mirrors=[shared_data],
            selection=Selection(duplicates="first", user_core=5, item_core=5),
        )
        assert counts(again) < (458, 148, 2972)
        assert again.lengths.min() >= 5 and np.bincount(again.items)[1:].min() >= 5


def test_beauty_of_bert4rec(shared_data: Path, cache: Path) -> None:
    h = prepare(Bert4RecBeauty(), cache=cache, mirrors=[shared_data])
    assert counts(h) == (40_226, 54_542, 353_962) and not h.has_times and h.lengths.min() >= 5


class TestTriCdr:
    def test_counts(self, shared_data: Path, cache: Path) -> None:
        got = {
            domain: counts(prepare(TriCdr(domain=domain), cache=cache, mirrors=[shared_data]))
            for domain in ("mix", "toy", "game")
        }
        assert got == {
            "mix": (7996, 49_603, 197_358),
            "toy": (7996, 37_868, 114_487),
            "game": (7996, 11_735, 82_871),
        }

    def test_each_domain_of_the_mix_is_that_domains_file(self, shared_data: Path) -> None:
        table = {
            domain: TriCdr(domain=domain).read(
                {f"{domain}.txt": gzip.decompress((shared_data / f"tricdr-toy-game/{domain}.txt.gz").read_bytes())}
            )
            for domain in ("mix", "toy", "game")
        }
        for domain, shift in (("toy", 0), ("game", 37_868)):
            part = table["mix"].filter(pl.col("domain") == domain)
            assert part.with_columns(pl.col("item") - shift).rows() == table[domain].rows()


def test_foursquare_of_llm_mob(shared_data: Path, cache: Path) -> None:
    h = prepare(FoursquareNyc535(), cache=cache, mirrors=[shared_data])
    assert counts(h) == (535, 3817, 95_372)
    assert (h.times.min() // 86_400, h.times.max() // 86_400) == (0, 318) and not np.any(h.times % 60)


def test_yoochoose_100k(shared_data: Path, cache: Path) -> None:
    h = prepare(Yoochoose100k(), cache=cache, mirrors=[shared_data])
    assert counts(h) == (17_794 + 3_416, 2_933, 70_278 + 13_568)
    days = [date(h.times.min()), date(h.times.max())]
    assert days == ["2014-04-01", "2014-04-08"]
    assert h.lengths.min() >= 2


def test_a_sample_of_diginetica(shared_data: Path) -> None:
    table = Diginetica().read(
        {"train-item-views.csv": (shared_data / "diginetica-sample/sample_train-item-views.csv").read_bytes()}
    )
    assert (table["user"].n_unique(), table["item"].n_unique(), len(table)) == (2986, 7139, 12_391)
    days = [date(t) for t in (table["time"].to_numpy().min(), table["time"].to_numpy().max())]
    assert days == ["2016-01-03", "2016-06-01"]


@dataclass(frozen=True, kw_only=True)
class GloboSample(Globo):
    """The tenth of the readers whose whole histories are at hand, in one file."""

    def files(self) -> tuple[RawFile, ...]:
        place = Place("globo-news/clicks_sample_u10.csv.gz")
        return (replace(super().files()[0], name="clicks_sample_u10.csv", places=(place,)),)


def test_a_tenth_of_globo(shared_data: Path, cache: Path) -> None:
    h = prepare(GloboSample(), cache=cache, mirrors=[shared_data])
    assert counts(h) == (15_503, 13_115, 252_220)
    days = [date(h.times.min()), date(h.times.max())]
    assert days[0] == "2017-10-01" and days[1] <= "2017-10-20"
    raw = {"clicks": gzip.decompress((shared_data / "globo-news/clicks_sample_u10.csv.gz").read_bytes())}
    table = Globo().read(raw)
    assert table["session"].n_unique() == 84_664
    assert int(h.lengths.min()) >= 5
