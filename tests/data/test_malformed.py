"""``data.malformed`` is a key of every source that reads text, and means the same everywhere."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path

import pytest

import research.data.sources
from research.config import canonical, compose, identity
from research.data.malformed import Wrong
from research.data.source import Source
from research.data.sources.bert4rec_beauty import Bert4RecBeauty
from research.data.sources.foursquare import Foursquare
from research.data.sources.foursquare_nyc_535 import FoursquareNyc535
from research.data.sources.globo import Globo
from research.data.sources.gowalla import Gowalla
from research.data.sources.mind import Mind
from research.data.sources.movielens import MovieLens
from research.data.sources.movielens_100k import MovieLens100K
from research.data.sources.retailrocket import Retailrocket
from research.data.sources.s3rec import S3Rec
from research.data.sources.sasrec_ml_1m import SasrecMovieLens1M
from research.data.sources.tricdr import TriCdr
from research.data.sources.yoochoose import Yoochoose
from research.errors import UserError

NO_TEXT = {"Simulated", "Yambda"}


def sources() -> list[type[Source]]:
    modules = (one.name for one in pkgutil.iter_modules(research.data.sources.__path__))
    found = (vars(importlib.import_module(f"research.data.sources.{name}")).values() for name in modules)
    return sorted(
        {
            one
            for values in found
            for one in values
            if isinstance(one, type) and issubclass(one, Source) and one.__module__.startswith("research.data.sources.")
        },
        key=lambda one: one.__name__,
    )


@pytest.mark.parametrize("kind", sources(), ids=lambda kind: kind.__name__)
def test_every_source_of_text_has_the_key(kind: type[Source]) -> None:
    keys = {field.name: field.default for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    assert keys.get("malformed") == (None if kind.__name__ in NO_TEXT else "error")


GOOD = b"1\t2\t3\t4\n"
PLACES: list[tuple[Callable[..., Source], str, bytes, bytes]] = [
    (MovieLens100K, "u.data", GOOD, b"1\tx\t3\t4\n"),
    (SasrecMovieLens1M, "ml-1m.txt", b"1 2\n", b"1 2 3\n"),
    (Bert4RecBeauty, "beauty.txt", b"1 2\n", b"1\n"),
    (lambda **said: S3Rec(category="beauty", **said), "Beauty.txt", b"1 2\n", b"1 two\n"),
    (TriCdr, "mix.txt", b"1 2\n", b"1 99999999999999999999\n"),
    (lambda **said: MovieLens(size="1m", **said), "ratings.dat", b"1::2::3::4\n", b"1::2::3\n"),
    (Gowalla, "loc-gowalla_totalCheckins.txt", b"0\t2010-10-19T23:55:27Z\t1.5\t2.5\t7\n", b"0\tsoon\t1.5\t2.5\t7\n"),
    (Yoochoose, "yoochoose-clicks.dat", b"1,2014-04-07T10:51:09.277Z,2,0\n", b"1,2014-04-07,2,0\n"),
]


@pytest.mark.parametrize(("make", "name", "good", "bad"), PLACES, ids=[name for _, name, _, _ in PLACES])
def test_it_means_the_same_everywhere(make: Callable[..., Source], name: str, good: bytes, bad: bytes) -> None:
    content = good + bad + good + bad
    with pytest.raises(UserError, match="2 malformed rows, lines 2, 4"):
        make().read({name: content})
    with pytest.warns(UserWarning, match="2 malformed rows, lines 2, 4; dropped"):
        assert make(malformed="drop").read({name: content}).equals(make().read({name: good + good}))


WITH_HEADER: list[tuple[Callable[..., Source], str, bytes, bytes, bytes]] = [
    (
        lambda **said: MovieLens(size="20m", **said),
        "ratings.csv",
        b"userId,movieId,rating,timestamp\n",
        b"1,2,3.5,4\n",
        b"1,2,,4\n",
    ),
    (
        Retailrocket,
        "events.csv",
        b"timestamp,visitorid,event,itemid,transactionid\n",
        b"1,2,view,3,\n",
        b"1,2,view\n",
    ),
]


@pytest.mark.parametrize(("make", "name", "head", "good", "bad"), WITH_HEADER, ids=[one[1] for one in WITH_HEADER])
def test_a_header_line_counts(make: Callable[..., Source], name: str, head: bytes, good: bytes, bad: bytes) -> None:
    with pytest.raises(UserError, match="1 malformed row, line 3"):
        make().read({name: head + good + bad + good})
    with pytest.warns(UserWarning, match="1 malformed row, line 3; dropped"):
        assert len(make(malformed="drop").read({name: head + good + bad + good})) == 2


def test_sources_that_read_several_parts_pass_it_on() -> None:
    head = b"user_id,session_id,session_start,session_size,click_article_id,click_timestamp,click_environment"
    head += b",click_deviceGroup,click_os,click_country,click_region,click_referrer_type\n"
    row = b"1,2,3,4,5,6000,1,1,1,1,1,1\n"
    globo = {"a.csv": head + row, "b.csv": head + row + b"x" + row}
    with pytest.warns(UserWarning, match=r"b\.csv: 1 malformed row, line 3"):
        assert len(Globo(malformed="drop").read(globo)) == 2
    page = b"1\tU1\t11/11/2019 9:05:58 AM\t\tN1-1\n"
    mind = {"train-behaviors.tsv": page, "dev-behaviors.tsv": page.replace(b"9:05", b"25:99") + page}
    with pytest.warns(UserWarning, match=r"dev-behaviors\.tsv: 1 malformed row, line 1"):
        assert len(Mind(size="small", malformed="drop").read(mind)) == 2
    check_in = b"1\tv\tc\tBar\t40.5\t-74.5\t-240\tTue Apr 03 18:00:09 +0000 2012\n"
    with pytest.warns(UserWarning, match="1 malformed row, line 1"):
        text = check_in.replace(b"40.5", b"nan") + check_in
        assert len(Foursquare(city="nyc", malformed="drop").read({"dataset_TSMC2014_NYC.txt": text})) == 1
    part = b"id,user_id,location_id,start_day,start_min\n1,1,1,1,1\n2,1,1,1,\n"
    with pytest.warns(UserWarning, match="1 malformed row, line 3"):
        assert len(FoursquareNyc535(malformed="drop").read({"a": part})) == 1


def test_the_first_five_are_named() -> None:
    wrong = Wrong("a.csv")
    wrong.add(range(2, 2000))
    assert wrong.rows == "1,998 malformed rows, lines 2, 3, 4, 5, 6, ..."
    assert wrong.records == "1,998 malformed lines (2, 3, 4, 5, 6, ...)"


def test_a_run_that_never_met_one_is_the_same_run() -> None:
    """The key came later than the first records: its default is no part of a run's identity, ``drop`` is."""
    plain, dropped = compose(["data=ml-100k"]), compose(["data=ml-100k", "data.malformed=drop"])
    assert "malformed" not in canonical(plain)["data"]
    assert identity(plain) != identity(dropped)
    assert canonical(dropped)["data"]["malformed"] == "drop"


def test_the_configurations_write_it_down() -> None:
    folder = Path(__file__).resolve().parents[2] / "configs" / "data"
    without = {path.stem for path in folder.glob("*.yaml") if "\nmalformed: error" not in path.read_text()}
    assert without == {"simulated", "yambda"}
