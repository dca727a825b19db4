"""Every source on a small file in the exact raw format, with what is nasty about that format.

Expected rows are written by hand. Times are checked against dates, by the standard library.
"""

from __future__ import annotations

import io
import pickle
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from research.data.sources.amazon import AmazonReviews
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
from research.data.sources.yoochoose import Yoochoose
from research.data.sources.yoochoose_100k import Yoochoose100k
from research.errors import UserError


def utc(*moment: int) -> int:
    """Seconds of a date and time in UTC."""
    year, month, day, *rest = moment
    return int(datetime(year, month, day, *rest, tzinfo=UTC).timestamp())


def rows(table: pl.DataFrame, *columns: str) -> list[tuple]:
    """The named columns, by default the three that every source has."""
    return table.select(columns or ("user", "item", "time")).rows()


class TestMovieLens:
    @pytest.mark.parametrize("size", ["1m", "10m"])
    def test_fields_parted_by_two_colons(self, size) -> None:
        content = b"1::1193::5::978300760\n1::661::3.5::978302109\n6040::1::0.5::956704746\n"
        table = MovieLens(size=size).read({"ratings.dat": content})
        assert table.columns == ["user", "item", "rating", "time"]
        assert table.rows() == [(1, 1193, 5.0, 978300760), (1, 661, 3.5, 978302109), (6040, 1, 0.5, 956704746)]

    @pytest.mark.parametrize("size", ["latest-small", "20m", "25m", "32m"])
    def test_commas_and_a_header(self, size) -> None:
        content = b"userId,movieId,rating,timestamp\r\n1,31,2.5,1260759144\r\n1,1029,3.0,1260759179\r\n"
        table = MovieLens(size=size).read({"ratings.csv": content})
        assert table.rows() == [(1, 31, 2.5, 1260759144), (1, 1029, 3.0, 1260759179)]

    def test_titles_with_colons_in_latin_1_or_in_utf_8(self) -> None:
        text = "73::Mis\u00e9rables, Les (1995)::Drama|Musical\n7::Star Wars: Episode IV (1977)::A\n8::A::B (1999)::C\n"
        wanted = {"73": "Mis\u00e9rables, Les (1995)", "7": "Star Wars: Episode IV (1977)", "8": "A::B (1999)"}
        assert MovieLens(size="1m").titles({"movies.dat": text.encode("latin-1")}) == wanted
        assert MovieLens(size="10m").titles({"movies.dat": text.encode("utf-8")}) == wanted

    def test_quoted_titles(self) -> None:
        text = 'movieId,title,genres\r\n11,"American President, The (1995)",C\r\n12,"""Great"" Day (1977) ",D\r\n'
        wanted = {"11": "American President, The (1995)", "12": '"Great" Day (1977)'}
        assert MovieLens(size="20m").titles({"movies.csv": text.encode()}) == wanted
        assert MovieLens(size="20m").titles({}) is None

    def test_the_parts_are_joined_where_a_row_may_be_cut_and_flags_say_which_times_are_true(self) -> None:
        flags = io.BytesIO()
        np.savez(flags, source=np.array([0, 2, 1], dtype=np.uint8))
        raw = {"ratings.dat.part1": b"1::5::5::10\n1::6::3", "ratings.dat.part2": b"::11\n2::5::4::12\n"}
        table = MovieLens1MParts().read({**raw, "ratings_ts_source.npz": flags.getvalue()})
        assert rows(table, "user", "item", "time", "exact_time") == [
            (1, 5, 10, True),
            (1, 6, 11, False),
            (2, 5, 12, True),
        ]
        with pytest.raises(UserError, match=r"flags \(3,\) rows of 2"):
            MovieLens1MParts().read(
                {
                    "ratings.dat.part1": b"1::5::5::1\n",
                    "ratings.dat.part2": b"1::5::5::1\n",
                    "ratings_ts_source.npz": flags.getvalue(),
                }
            )

    def test_a_pickle_in_place_of_the_flags_is_refused(self) -> None:
        raw = {
            "ratings.dat.part1": b"1::5::5::10\n",
            "ratings.dat.part2": b"",
            "ratings_ts_source.npz": pickle.dumps([0]),
        }
        with pytest.raises(UserError, match="ratings_ts_source"):
            MovieLens1MParts().read(raw)


class TestAmazon:
    def test_the_columns_of_the_two_years_are_exchanged_and_pairs_may_stand_twice(self) -> None:
        old, new = (AmazonReviews(year=year, category="Books", core="all") for year in (2014, 2018))
        content = b"A1,0001,5.0,1399248000\nA1,0001,4.0,1399248000\nA2,0002,1.0,1370390400\n"
        wanted = [("A1", "0001", 5.0, 1399248000), ("A1", "0001", 4.0, 1399248000), ("A2", "0002", 1.0, 1370390400)]
        assert rows(old.read({"ratings_Books.csv": content}), "user", "item", "rating", "time") == wanted
        swapped = b"0001,A1,5.0,1399248000\n0001,A1,4.0,1399248000\n0002,A2,1.0,1370390400\n"
        assert rows(new.read({"Books.csv": swapped}), "user", "item", "rating", "time") == wanted

    @pytest.mark.parametrize(("year", "name"), [(2014, "reviews_Books_5.json"), (2018, "Books_5.json")])
    def test_reviews_with_line_breaks_and_quotes_in_the_text(self, year, name: str) -> None:
        content = (
            b'{"overall": 5.0, "reviewerID": "A1", "asin": "0001", "reviewText": "a \\"b\\"\\nc, d", '
            b'"unixReviewTime": 1399248000}\n'
            b'{"reviewerID": "A2", "asin": "B0\\u0030", "overall": 2, "unixReviewTime": 1370390400, "vote": "1,001"}\n'
        )
        table = AmazonReviews(year=year, category="Books").read({name: content})
        assert rows(table) == [("A1", "0001", 1399248000), ("A2", "B00", 1370390400)]
        assert table["rating"].to_list() == [5.0, 2.0]
        with pytest.raises(UserError, match=f"{name}: 1 malformed line"):
            AmazonReviews(year=year, category="Books").read({name: content + b'{"overall": 5.0, "revie'})

    def test_titles_are_python_in_2014_and_json_in_2018(self) -> None:
        old = b"""{'asin': '0001', 'title': "It's \\"so\\"", 'price': 1}\n{'asin': '0002', 'price': 2}\n"""
        new = b'{"asin": "0001", "title": "It\'s \\"so\\"", "also_buy": []}\n{"asin": "0002", "title": null}\n'
        wanted = {"0001": 'It\'s "so"', "0002": ""}
        assert AmazonReviews(year=2014, category="Books").titles({"meta_Books.json": old}) == wanted
        assert AmazonReviews(year=2018, category="Books").titles({"meta_Books.json": new}) == wanted
        assert AmazonReviews(year=2018, category="Books").titles({}) is None

    def test_names_tell_everything_apart(self) -> None:
        sources = [
            AmazonReviews(year=year, category=category, core=core)
            for year in (2014, 2018)
            for category in ("Books", "Video_Games")
            for core in ("all", "5core")
        ]
        assert len({source.name for source in sources}) == 8
        assert len({source.files()[0].urls[0].at for source in sources}) == 8
        assert sources[-1].name == "amazon-2018-video-games-5core"
        with pytest.raises(UserError, match="Video Games"):
            AmazonReviews(year=2014, category="Video Games")


def test_s3rec_lastfm_has_no_pinned_hash() -> None:
    source = S3Rec(category="lastfm")
    assert source.read({"LastFM.txt": b"1 5 6\n2 5\n"}).rows() == [(1, 5), (1, 6), (2, 5)]
    assert source.files()[0].sha256 == "" and "non-commercial" in source.terms.text


def test_bert4rec_beauty() -> None:
    assert Bert4RecBeauty().read({"beauty.txt": b"1 2\n1 1\n2 1\n"}).rows() == [(1, 2), (1, 1), (2, 1)]


def test_tricdr_tells_the_domains_apart_by_the_number_of_the_item() -> None:
    table = TriCdr().read({"mix.txt": b"1 37868 37869\n2 1\n"})
    assert rows(table, "user", "item", "domain") == [(1, 37868, "toy"), (1, 37869, "game"), (2, 1, "toy")]
    assert rows(TriCdr(domain="game").read({"game.txt": b"1 5\n"}), "item", "domain") == [(5, "game")]


def test_steam_prints_python() -> None:
    content = (
        b"{u'username': u'J\\xe9', u'hours': 12.4, u'product_id': u'725280', u'date': u'2017-12-17', "
        b"u'text': u'a\\nb'}\n"
        b"{u'date': u'2017-12-16', u'username': u\"it's {u'date': u'1999-01-01'}\", u'product_id': u'1'}\n"
        b"{u'username': u'J\\xe9', u'product_id': u'725280', u'date': u'2017-12-17'}\n"
    )
    table = Steam().read({"steam_reviews.json": content})
    assert rows(table) == [
        ("J\u00e9", "725280", utc(2017, 12, 17)),
        ("it's {u'date': u'1999-01-01'}", "1", utc(2017, 12, 16)),
        ("J\u00e9", "725280", utc(2017, 12, 17)),
    ]
    games = b"{u'id': u'725280', u'app_name': u'A', u'title': u'B'}\n{u'id': u'1', u'app_name': u'C'}\n"
    games += b"{u'title': u'no id'}\n"
    assert Steam().titles({"steam_games.json": games}) == {"725280": "B", "1": "C"}
    broken = content + b"{u'product_id': u'725280', u'date': u'2017-12-17'}\n"
    with pytest.raises(UserError, match=r"1 malformed line \(4\)"):
        Steam().read({"steam_reviews.json": broken})
    with pytest.warns(UserWarning, match="1 malformed line"):
        assert len(Steam(malformed="drop").read({"steam_reviews.json": broken})) == 3


class TestLastFm1K:
    NAME = "userid-timestamp-artid-artname-traid-traname.tsv"
    CONTENT = (
        'user_000001\t2009-05-04T23:08:57Z\tart1\tA "quoted\ttra1\tSong\n'
        "user_000001\t2009-05-04T13:54:10Z\t\tNo Id\t\tSong\u00e9\n"
        "user_000001\t2009-05-04T13:52:04Z\tart1\tA\t\tSong\n"
        "user_000001\t2009-05-04T13:52:04Z\tart1\tB\ttra2\tSong\twith\ttabs\n"
    ).encode()

    def test_tracks_with_and_without_an_id(self) -> None:
        table = LastFm1K().read({self.NAME: self.CONTENT})
        assert table["item"].to_list() == ["tra1", "No Id\tSong\u00e9", "art1\tSong", "tra2"]
        assert table["time"].to_list()[:2] == [utc(2009, 5, 4, 23, 8, 57), utc(2009, 5, 4, 13, 54, 10)]

    def test_artists(self) -> None:
        table = LastFm1K(item="artist").read({self.NAME: self.CONTENT})
        assert table["item"].to_list() == ["art1", "No Id", "art1", "art1"]

    def test_a_row_without_a_time_is_an_error(self) -> None:
        with pytest.raises(UserError, match="1 malformed row, line 5"):
            LastFm1K().read({self.NAME: self.CONTENT + b"user_000002\n"})
        with pytest.raises(UserError, match="1 malformed row, line 5"):
            LastFm1K().read({self.NAME: self.CONTENT + b"u\tyesterday\ta\tA\tt\tT\n"})


class TestMind:
    TRAIN = (
        b"1\tU1\t11/13/2019 12:05:58 AM\tN1 N2\tN3-1 N4-0 N5-1\n"
        b"2\tU2\t11/9/2019 3:00:00 PM\t\tN10-0 N1-1\n"
        b"3\tU1\t11/11/2019 9:05:58 AM\tN1 N2\tN6-0\n"
    )
    DEV = b"1\tU3\t11/15/2019 12:00:00 PM\tN7\tN4-0 N11-0\n2\tU1\t11/15/2019 1:00:00 PM\tN1 N2\tN9-1\n"

    @property
    def raw(self) -> dict[str, bytes]:
        return {"train-behaviors.tsv": self.TRAIN, "dev-behaviors.tsv": self.DEV}

    def test_clicks_at_the_time_of_their_page(self) -> None:
        table = Mind(size="small").read(self.raw)
        assert rows(table) == [
            ("U1", "N3", utc(2019, 11, 13, 0, 5, 58)),
            ("U1", "N5", utc(2019, 11, 13, 0, 5, 58)),
            ("U2", "N1", utc(2019, 11, 9, 15)),
            ("U1", "N9", utc(2019, 11, 15, 13)),
        ]
        assert table["exact_time"].all()

    def test_the_past_once_a_reader_before_the_first_page_even_if_it_had_no_click(self) -> None:
        table = Mind(size="small", history="before").read(self.raw).filter(~pl.col("exact_time"))
        first = utc(2019, 11, 11, 9, 5, 57)
        u3 = utc(2019, 11, 15, 11, 59, 59)
        assert sorted(rows(table)) == [("U1", "N1", first), ("U1", "N2", first), ("U3", "N7", u3)]
        u1 = table.filter(pl.col("user") == "U1")
        assert u1["item"].to_list() == ["N1", "N2"], "in the order in which they were clicked"

    def test_titles_with_quotes_that_nothing_closes(self) -> None:
        news = 'N1\tnews\tus\tThe "best\tabstract\turl\t[]\t[]\nN2\tsports\tx\tCaf\u00e9 \t\turl\t[]\t[]\n'.encode()
        more = b"N3\tnews\tus\tThird\t\turl\t[]\t[]\n"
        titles = Mind(size="small").titles({"train-news.tsv": news, "dev-news.tsv": more})
        assert titles == {"N1": 'The "best', "N2": "Caf\u00e9", "N3": "Third"}
        assert Mind(size="small").titles({}) is None


def test_globo_hours_come_together_in_the_order_of_milliseconds() -> None:
    header = "user_id,session_id,session_start,session_size,click_article_id,click_timestamp,click_environment,"
    header += "click_deviceGroup,click_os,click_country,click_region,click_referrer_type\n"
    one = "0,15,1506825423000,2,157541,1506826828020,4,3,20,1,20,2\n"
    one += "0,15,1506825423000,2,68866,1506826828010,4,3,20,1,20,7\n"
    two = "1,16,1506825426000,2,235840,1506827017951,4,1,17,1,16,1\n"
    raw = {"clicks_hour_000.csv": (header + one).encode(), "clicks_hour_001.csv": (header + two).encode()}
    table = Globo().read(raw)
    second = utc(2017, 10, 1, 3, 0, 28)
    assert rows(table) == [(0, 68866, second), (0, 157541, second), (1, 235840, 1506827017)]
    assert rows(table, "session", "scenario") == [(15, 7), (15, 2), (16, 1)]
    assert Globo(scenario="device").read(raw)["scenario"].to_list() == [3, 3, 1]
    with pytest.raises(UserError, match="scenario"):
        Globo(scenario="os")  # type: ignore[arg-type]


class TestTaobao:
    CONTENT = (
        b"1,2268318,2520377,pv,1511544070\n1,2333346,2520771,buy,1511539200\n2,5,7,cart,1511539199\n"
        b"2,5,7,fav,1512316799\n2,6,7,pv,1512316800\n3,6,7,pv,-2134949234\n"
    )

    def test_the_nine_days_are_chinese_ones(self) -> None:
        assert (utc(2017, 11, 24, 16), utc(2017, 12, 3, 16)) == (1511539200, 1512316800)
        table = Taobao().read({"UserBehavior.csv": self.CONTENT})
        assert rows(table, "user", "item", "behaviour", "time") == [
            (1, 2268318, "pv", 1511544070),
            (1, 2333346, "buy", 1511539200),
            (2, 5, "fav", 1512316799),
        ]
        assert len(Taobao(outside=True).read({"UserBehavior.csv": self.CONTENT})) == 6

    def test_each_item_has_its_category_once(self) -> None:
        content = self.CONTENT + b"9,5,7,pv,1511544071\n9,8,2520377,pv,1511544072\n"
        table = Taobao(behaviours=["buy"]).item_features({"UserBehavior.csv": content})
        expected = [(2268318, 2520377), (2333346, 2520771), (5, 7), (6, 7), (8, 2520377)]
        assert rows(table, "item", "category") == expected

    def test_behaviours_are_chosen_by_name(self) -> None:
        table = Taobao(behaviours=["buy", "fav"]).read({"UserBehavior.csv": self.CONTENT})
        assert table["behaviour"].to_list() == ["buy", "fav"]
        with pytest.raises(UserError, match=r"no behaviour 'click'\. Known: pv, cart, fav, buy"):
            Taobao(behaviours=["click"])
        with pytest.raises(UserError, match=r"UserBehavior\.csv has a behaviour 'look'"):
            Taobao().read({"UserBehavior.csv": self.CONTENT.replace(b"cart", b"look")})

    def test_a_row_that_is_cut_off(self) -> None:
        broken = self.CONTENT + b"4,6,7"
        with pytest.raises(UserError, match="1 malformed row, line 7"):
            Taobao().read({"UserBehavior.csv": broken})
        with pytest.warns(UserWarning, match="line 7; dropped"):
            assert len(Taobao(malformed="drop").read({"UserBehavior.csv": broken})) == 3


def test_kuairec_rows_without_a_time_cannot_be_put_in_order() -> None:
    content = (
        b"user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio\n"
        b"14,148,4381,6067,2020-07-05 05:27:48.378,20200705,1593898068.378,0.72\n"
        b"14,183,11635,6100,2020-07-05 05:27:48.100,20200705,1593898068.1,1.9\n"
        b"19,103,5,9,,,,2.5\n"
        b"19,104,5,9,2020-07-05 05:27:49,20200705,1593898069,2.0\n"
    )
    raw = {"big_matrix.csv": content}
    table = KuaiRec(matrix="big").read(raw)
    assert rows(table) == [(14, 183, 1593898068), (14, 148, 1593898068), (19, 104, 1593898069)]
    assert table["rating"].to_list() == [1.9, 0.72, 2.0]
    assert KuaiRec(matrix="big", min_watch_ratio=2).read(raw)["item"].to_list() == [104]


class TestKuaiRand:
    HEADER = (
        b"user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,"
    )
    HEADER += b"play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab\n"
    FIRST = HEADER + b"0,7,20220408,1800,1649413000900,1,0,0,0,0,0,1,9,9,0,0,0,0,1\n"
    FIRST += b"0,8,20220408,1800,1649413000100,1,1,0,0,0,0,0,9,9,0,0,0,0,4\n"
    SECOND = HEADER + b"0,9,20220422,1800,1650622600000,0,0,0,0,0,0,0,9,9,0,0,0,0,1\n"
    RANDOM = HEADER + b"0,5,20220422,1700,1650620000000,1,0,0,0,0,0,0,9,9,0,0,0,1,0\n"

    @property
    def raw(self) -> dict[str, bytes]:
        names = [file.name for file in KuaiRand(size="pure").files()]
        assert names == ["log_standard_4_08_to_4_21_pure.csv", "log_standard_4_22_to_5_08_pure.csv"]
        return dict(zip(names, (self.FIRST, self.SECOND), strict=True))

    def test_what_counts_is_chosen(self) -> None:
        table = KuaiRand(size="pure").read(self.raw)
        assert rows(table, "user", "item", "time", "scenario") == [(0, 8, 1649413000, 4), (0, 7, 1649413000, 1)]
        shown = KuaiRand(size="pure", feedback="shown").read(self.raw)
        assert shown["item"].to_list() == [8, 7, 9]
        assert KuaiRand(size="pure", feedback="is_like").read(self.raw)["item"].to_list() == [8]

    def test_random_exposures_are_flagged(self) -> None:
        source = KuaiRand(size="1k", random=True)
        assert source.files()[2].name == "log_random_4_22_to_5_08_1k.csv"
        table = source.read({**self.raw, "log_random_4_22_to_5_08_1k.csv": self.RANDOM})
        assert rows(table, "item", "behaviour") == [(8, "standard"), (7, "standard"), (5, "random")]

    def test_a_ragged_row_is_an_error_or_dropped(self) -> None:
        raw = self.raw | {"log_standard_4_08_to_4_21_pure.csv": self.FIRST + b"0,7,20220408,1800,16494\n"}
        with pytest.raises(UserError, match="1 malformed row, line 4"):
            KuaiRand(size="pure").read(raw)
        with pytest.warns(UserWarning, match="1 malformed row, line 4; dropped"):
            assert len(KuaiRand(size="pure", malformed="drop").read(raw)) == 2


def test_retailrocket_is_in_no_order() -> None:
    content = b"timestamp,visitorid,event,itemid,transactionid\n"
    content += (
        b"1433221332117,257597,view,355908,\n1433221332001,257597,addtocart,7,\n1433221331999,1,transaction,7,4000\n"
    )
    table = Retailrocket().read({"events.csv": content})
    second = utc(2015, 6, 2, 5, 2, 12)
    assert rows(table, "user", "item", "time", "behaviour") == [
        (1, 7, second - 1, "transaction"),
        (257597, 7, second, "addtocart"),
        (257597, 355908, second, "view"),
    ]
    assert Retailrocket(behaviours=["view"]).read({"events.csv": content})["item"].to_list() == [355908]


@pytest.mark.parametrize(
    "header", [b"sessionId;userId;itemId;timeframe;eventdate", b"session_id;user_id;item_id;timeframe;eventdate"]
)
def test_diginetica_counts_milliseconds_from_the_day(header: bytes) -> None:
    content = header + b"\n1;NA;81766;526309;2016-05-09\n1;NA;31331;1031018;2016-05-09\n1;3;32118;243569;2016-05-09\n"
    content += b"2;NA;9;526300;2016-05-09\n"
    table = Diginetica().read({"train-item-views.csv": content})
    day = utc(2016, 5, 9)
    assert rows(table) == [(1, 32118, day + 243), (2, 9, day + 526), (1, 81766, day + 526), (1, 31331, day + 1031)]
    with pytest.raises(UserError, match="1 malformed row, line 6"):
        Diginetica().read({"train-item-views.csv": content + b"3;NA;9;1;09/05/2016\n"})


def test_yoochoose_clicks_and_buys() -> None:
    clicks = b"1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:51:09.018Z,214536500,S\n"
    clicks += b"2,2014-04-07T13:56:37.614Z,214662742,2089\n"
    buys = b"2,2014-04-07T13:56:37.615Z,214662742,12462,1\n"
    second = utc(2014, 4, 7, 10, 51, 9)
    wanted = [(1, 214536500, second), (1, 214536502, second), (2, 214662742, utc(2014, 4, 7, 13, 56, 37))]
    assert rows(Yoochoose().read({"yoochoose-clicks.dat": clicks})) == wanted
    assert [file.name for file in Yoochoose().files()] == ["yoochoose-clicks.dat"]
    both = Yoochoose(buys=True)
    assert [file.name for file in both.files()] == ["yoochoose-clicks.dat", "yoochoose-buys.dat"]
    table = both.read({"yoochoose-clicks.dat": clicks, "yoochoose-buys.dat": buys})
    assert rows(table) == [*wanted, wanted[-1]]
    assert table["behaviour"].to_list() == ["click", "click", "click", "buy"]


def test_yoochoose_100k_has_decimal_seconds_and_two_files() -> None:
    train = b"SessionId\tItemId\tTime\n3\t214716935\t1396437466.94\n3\t214832672\t1396437466.318\n"
    test = b"SessionId\tItemId\tTime\n9\t214716935\t1396861265.05\n"
    table = Yoochoose100k().read({"train": train, "test": test})
    assert rows(table) == [(3, 214832672, 1396437466), (3, 214716935, 1396437466), (9, 214716935, 1396861265)]


class TestFoursquare:
    TEXT = (
        "470\t49bbd6c0f964a520f4531fe3\t4bf58dd8d48988d127951735\tCaf\u00e9\t40.719\t-74.002\t-240\t"
        "Tue Apr 03 18:00:09 +0000 2012\n"
        '979\t4a43c0aef964a520c6a61fe3\tc\tThe "Bridge\t40.6\t-74.04\t-240\tTue Apr 03 18:00:25 +0000 2012\n'
    )
    WANTED = (
        (470, "49bbd6c0f964a520f4531fe3", utc(2012, 4, 3, 18, 0, 9)),
        (979, "4a43c0aef964a520c6a61fe3", utc(2012, 4, 3, 18, 0, 25)),
    )

    def test_tabs_and_latin_1(self) -> None:
        table = Foursquare(city="nyc").read({"dataset_TSMC2014_NYC.txt": self.TEXT.encode("latin-1")})
        assert rows(table) == list(self.WANTED)
        assert rows(table, "latitude", "longitude")[0] == (40.719, -74.002)

    def test_the_copy_with_commas(self) -> None:
        header = "userId,venueId,venueCategoryId,venueCategory,latitude,longitude,timezoneOffset,utcTimestamp\n"
        body = self.TEXT.replace('The "Bridge', '"The ""Bridge, old"').replace("\t", ",")
        table = Foursquare(city="tky").read({"dataset_TSMC2014_TKY.txt": (header + body).encode("utf-8")})
        assert rows(table) == list(self.WANTED)

    def test_the_cut_of_llm_mob_counts_minutes_and_is_one_log_by_row(self) -> None:
        header = b"id,user_id,location_id,latitude,longitude,start_day,start_min,weekday\n"
        raw = {"a.csv": header + b"377,1,1610,0.2,0.1,0,1088,1\n379,1,7,0.2,0.1,5,503,6\n"}
        raw["b.csv"] = header + b"378,1,8,0.2,0.1,4,825,5\n"
        minute = 60
        assert rows(FoursquareNyc535().read(raw)) == [
            (1, 1610, 1088 * minute),
            (1, 8, (4 * 1440 + 825) * minute),
            (1, 7, (5 * 1440 + 503) * minute),
        ]


def test_gowalla_stands_newest_first() -> None:
    content = b"0\t2010-10-19T23:55:27Z\t30.2359091167\t-97.7951395833\t22847\n"
    content += b"0\t2010-10-18T22:17:43Z\t30.27\t-97.75\t420315\n"
    table = Gowalla().read({"loc-gowalla_totalCheckins.txt": content})
    assert rows(table) == [(0, 22847, utc(2010, 10, 19, 23, 55, 27)), (0, 420315, utc(2010, 10, 18, 22, 17, 43))]
    with pytest.raises(UserError, match="1 malformed row, line 2"):
        Gowalla().read({"loc-gowalla_totalCheckins.txt": content.replace(b"2010-10-18T", b"2010-10-18 ")})
