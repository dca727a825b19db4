"""Yelp's JSON lines, with what is nasty about them: quoted line breaks, repeats, editions with days only, a tar."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from research.data.prepare import prepare
from research.data.sources.yelp import Yelp
from research.errors import UserError

REVIEW = "yelp_academic_dataset_review.json"
BUSINESS = "yelp_academic_dataset_business.json"
REVIEWS = (
    '{"review_id":"r1","user_id":"-u_1","business_id":"b--1","stars":4.0,"useful":0,"funny":0,"cool":0,'
    '"text":"Caf\u00e9:\\n\\"good\\", really","date":"2018-07-07 22:09:11"}\n'
    '{"review_id":"r2","user_id":"-u_1","business_id":"b--2","stars":1,"text":"","date":"2012-01-03 15:28:18"}\n'
    '{"review_id":"r3","user_id":"-u_1","business_id":"b--1","stars":5.0,"text":"","date":"2019-02-03 00:00:00"}\n'
).encode()
PLACES = '{"business_id":"b--1","name":"Caf\u00e9 \\"A\\" ","city":"X"}\n{"business_id":"b--2","name":null}\n'.encode()


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_reviews_to_the_second_in_utc_with_repeats() -> None:
    table = Yelp().read({REVIEW: REVIEWS})
    assert table.select("user", "item", "rating", "time").rows() == [
        ("-u_1", "b--1", 4.0, seconds("2018-07-07 22:09:11")),
        ("-u_1", "b--2", 1.0, seconds("2012-01-03 15:28:18")),
        ("-u_1", "b--1", 5.0, seconds("2019-02-03 00:00:00")),
    ]
    assert Yelp().titles({BUSINESS: PLACES}) == {"b--1": 'Caf\u00e9 "A"', "b--2": ""}
    assert Yelp().titles({}) is None


def test_the_oldest_editions_have_days() -> None:
    old = b'{"user_id":"u","business_id":"b","stars":5,"date":"2016-03-09"}\n'
    assert Yelp().read({REVIEW: old})["time"].to_list() == [seconds("2016-03-09")]
    with pytest.raises(UserError, match=r"1 malformed line \(4\)"):
        Yelp().read({REVIEW: REVIEWS + old})


def test_a_line_that_is_cut_off_or_lacks_a_date() -> None:
    broken = REVIEWS + b'{"user_id":"u","business_id":"b","stars":5}\n{"user_id":"u","busi'
    with pytest.raises(UserError, match=r"2 malformed lines \(4, 5\)"):
        Yelp().read({REVIEW: broken})
    with pytest.warns(UserWarning, match="2 malformed lines"):
        assert len(Yelp(malformed="drop").read({REVIEW: broken})) == 3


@pytest.mark.parametrize("how", ["loose", "yelp_dataset.tar", "yelp_dataset.tgz", "archive.zip"])
def test_end_to_end_from_what_the_publisher_and_kaggle_give(tmp_path: Path, make_zip, how: str) -> None:
    folder = tmp_path / "m/yelp"
    folder.mkdir(parents=True)
    members = {"Dataset_User_Agreement.pdf": b"x", BUSINESS: PLACES, REVIEW: REVIEWS}
    if how == "loose":
        for name, content in members.items():
            (folder / name).write_bytes(content)
    elif how.endswith(".zip"):
        make_zip(folder / how, members)
    else:
        with tarfile.open(folder / how, "w" if how.endswith(".tar") else "w:gz") as archive:
            for name, content in members.items():
                entry = tarfile.TarInfo(f"./{name}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    h = prepare(Yelp(), cache=tmp_path / "c", mirrors=[tmp_path / "m"])
    assert h.item_ids[h.items - 1].tolist() == ["b--2", "b--1", "b--1"]
    assert h.titles is not None and h.titles.tolist() == ['Caf\u00e9 "A"', ""]


def test_where_a_person_gets_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"https://business\.yelp\.com/data/resources/open-dataset/ has it"):
        prepare(Yelp(), cache=tmp_path)
