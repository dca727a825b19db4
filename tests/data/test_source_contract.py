"""What every public source owes: where its files are, under which terms, and names that are its own."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from research.data.fetch import fetch
from research.data.prepare import prepare
from research.data.source import Source
from research.data.sources import movielens
from research.data.sources.amazon import AmazonReviews
from research.data.sources.amazon_2023 import Amazon2023
from research.data.sources.amazon_pair import AmazonPair
from research.data.sources.bert4rec_beauty import Bert4RecBeauty
from research.data.sources.diginetica import Diginetica
from research.data.sources.foursquare import Foursquare
from research.data.sources.foursquare_nyc_535 import FoursquareNyc535
from research.data.sources.globo import Globo
from research.data.sources.gowalla import Gowalla
from research.data.sources.kuairand import KuaiRand
from research.data.sources.kuairec import KuaiRec
from research.data.sources.lastfm_1k import LastFm1K
from research.data.sources.mind import Mind
from research.data.sources.movielens import MovieLens
from research.data.sources.movielens_1m_parts import MovieLens1MParts
from research.data.sources.retailrocket import Retailrocket
from research.data.sources.s3rec import S3Rec
from research.data.sources.steam import Steam
from research.data.sources.taobao import Taobao
from research.data.sources.tricdr import TriCdr
from research.data.sources.yambda import Yambda
from research.data.sources.yelp import Yelp
from research.data.sources.yoochoose import Yoochoose
from research.data.sources.yoochoose_100k import Yoochoose100k
from research.errors import UserError

ALL: list[Source] = [
    *(MovieLens(size=size) for size in ("latest-small", "1m", "10m", "20m", "25m", "32m")),
    MovieLens1MParts(),
    *(AmazonReviews(year=year, category="Books", core=core) for year in (2014, 2018) for core in ("all", "5core")),
    *(Amazon2023(category="Books", core=core) for core in ("all", "5core", "raw")),
    S3Rec(category="lastfm"),
    Bert4RecBeauty(),
    TriCdr(),
    Steam(),
    Yelp(),
    *(Yambda(size=size, events=events) for size in ("50m", "500m") for events in ("listens", "likes")),
    LastFm1K(),
    Mind(size="small"),
    Mind(size="large"),
    Globo(),
    Taobao(),
    KuaiRec(matrix="big"),
    KuaiRec(matrix="small"),
    KuaiRand(size="pure", random=True),
    KuaiRand(size="1k", random=True),
    Retailrocket(),
    Diginetica(),
    Yoochoose(buys=True),
    Yoochoose100k(),
    Foursquare(city="nyc"),
    Foursquare(city="tky"),
    FoursquareNyc535(),
    Gowalla(),
]


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.name)
def test_it_says_where_its_files_are_and_under_which_terms(source: Source) -> None:
    files = source.files()
    assert len({file.name for file in files}) == len(files)
    assert not files[0].optional, "something is needed"
    for file in files:
        assert "/" not in file.name and not file.name.endswith((".gz", ".zip"))
        assert file.urls or file.hub or file.page or file.optional, "fetched, or it is said where a person gets it"
        assert re.fullmatch(r"([0-9a-f]{64})?", file.sha256)
        for place in (*file.places, *file.urls):
            assert re.fullmatch(r"(sha256:[0-9a-f]{64}|md5:[0-9a-f]{32})?", place.checksum)
            assert bool(place.member) == place.at.endswith((".zip", ".tar", ".tgz", ".tar.gz"))
        assert all(place.at.startswith(("http://", "https://")) for place in file.urls)
        assert not any(place.at.startswith(("/", "http")) or ".." in place.at for place in file.places)
    terms = source.terms
    assert terms is not None and terms.url.startswith("http") and len(terms.text) > 40


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.name)
def test_its_terms_and_its_facts_agree(source: Source) -> None:
    """Both are written by hand: what the terms ask to cite is in the list, and the licence is no other."""
    assert source.terms is not None
    text, about = source.terms.text, source.about
    cited = {one.doi for one in about.cite} | {one.venue for one in about.cite}
    for named in re.findall(r"(?:doi:|(?=arXiv:))([^\s,;]+[^\s,;.])", text):
        assert named in cited
    for licence in ("CC BY-SA 4.0", "CC BY-NC-SA 4.0", "CC BY-NC-ND 4.0"):
        assert (licence in text) == (licence in about.licence)
    if "o redistribution" in text or "do not redistribute it;" in text:
        assert about.licence.endswith("no redistribution")
    assert about.times != "unknown" and about.licence != "unknown" and about.cite


def test_a_pair_uses_the_files_of_its_two_categories() -> None:
    pair = AmazonPair(year=2018, first="Books", second="Video_Games")
    assert [file.name for file in pair.files() if not file.optional] == ["Books_5.json", "Video_Games_5.json"]
    assert pair.terms == AmazonReviews(year=2018, category="Books").terms
    with pytest.raises(UserError, match="first and second are both 'Books'"):
        AmazonPair(first="Books", second="Books")
    with pytest.raises(UserError, match="Video Games"):
        AmazonPair(second="Video Games")


def test_no_two_sources_share_a_name_or_a_loose_unpinned_file() -> None:
    """A bare ``ratings.csv`` in somebody's directory could be of any size."""
    assert len({source.name for source in ALL}) == len(ALL)
    owner: dict[str, str] = {}
    for source in ALL:
        for file in source.files():
            for place in file.places:
                if not (file.sha256 or file.optional or place.member):
                    assert owner.setdefault(place.at, source.name) == source.name, place.at


@pytest.mark.parametrize("where", ["ml-20m.zip", "ml-20m/ml-20m.zip", "ml-20m/ratings.csv"])
def test_end_to_end_from_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_zip, where: str) -> None:
    ratings = b"userId,movieId,rating,timestamp\n9,31,2.5,20\n9,10,3.0,10\n"
    movies = b'movieId,title,genres\n31,"Dangerous, Minds",D\n'
    path = tmp_path / "m" / where
    if where.endswith(".zip"):
        make_zip(path, {"ml-20m/ratings.csv": ratings, "ml-20m/movies.csv": movies})
        stated = hashlib.sha256(path.read_bytes()).hexdigest()
        monkeypatch.setitem(movielens._SIZES, "20m", ("ml-20m", "csv", stated))
    else:
        path.parent.mkdir(parents=True)
        path.write_bytes(ratings)
        path.with_name("movies.csv").write_bytes(movies)
    h = prepare(MovieLens(size="20m"), cache=tmp_path / "c", mirrors=[tmp_path / "m"])
    assert (h.item_ids[h.items - 1].tolist(), h.times.tolist()) == (["10", "31"], [10, 20])
    assert h.titles is not None and h.titles.tolist() == ["Dangerous, Minds", ""]


def test_an_archive_that_is_not_the_publishers_is_refused(tmp_path: Path, make_zip) -> None:
    make_zip(tmp_path / "m/ml-20m.zip", {"ml-20m/ratings.csv": b"userId,movieId,rating,timestamp\n9,31,2.5,20\n"})
    file = MovieLens(size="20m").files()[0]
    with pytest.raises(UserError, match="wrong archive: sha256"):
        fetch("ml-20m", [replace(file, urls=())], cache=tmp_path / "c", mirrors=[tmp_path / "m"])
