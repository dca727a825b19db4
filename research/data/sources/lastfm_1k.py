"""Last.fm 1K: 992 listeners, 19,150,868 plays from 2005 to 2009 to the second, of tracks or of artists.

People hear the same track again and again: repeats are the rule, and a filter of seen items would remove most
targets. An item is a track (MusicBrainz id, else the artist and the title) or an artist (107,528 with an id and 69,420
without, which go by their name). Rows stand newest first within each user. Names hold quotation marks and, in a few
rows, tabs: the first fields of a row count, what is too much is left off.

Source: http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html (O. Celma, 2010: Music Recommendation and
Discovery in the Long Tail, Springer). Licence: non-commercial, with permission of Last.fm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.about import About, Citation
from research.data.clock import Written
from research.data.delimited import Delimited
from research.data.raw import GIBIBYTE, Place, RawFile, Terms, opened
from research.data.text_source import Streamed
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_NAME = "userid-timestamp-artid-artname-traid-traname.tsv"
_URL = "http://mtg.upf.edu/static/datasets/last.fm/lastfm-dataset-1K.tar.gz"
_COLUMNS = ("user", "time", "artist_id", "artist", "track_id", "track")
_CELMA = Citation(
    authors="Celma, Òscar",
    year=2010,
    title="Music Recommendation and Discovery in the Long Tail",
    venue="Springer",
    url="http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html",
)


@dataclass(frozen=True, kw_only=True)
class LastFm1K(Streamed):
    """One row a play; the item is chosen."""

    item: Literal["track", "artist"] = "track"
    """What an item is."""

    def __post_init__(self) -> None:
        if self.item not in ("track", "artist"):
            raise UserError(f"lastfm-1k: item is {self.item!r}; it must be track or artist.")

    @property
    def name(self) -> str:
        return "lastfm-1k"

    @property
    def about(self) -> About:
        return About(
            users=992,
            items=176_948 if self.item == "artist" else None,
            interactions=19_150_868,
            users_are="listeners",
            times="seconds",
            licence="Last.fm: non-commercial",
            cite=(_CELMA,),
            download_bytes=672_000_000,
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "Last.fm 1K is distributed with permission of Last.fm for non-commercial use. Cite Celma (2010), Music "
            "Recommendation and Discovery in the Long Tail.",
            "http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html",
        )

    def files(self) -> tuple[RawFile, ...]:
        member = f"lastfm-dataset-1K/{_NAME}"
        archives = ("lastfm-dataset-1K.tar.gz", "lastfm-1k/lastfm-dataset-1K.tar.gz")
        places = (Place(member), Place(_NAME), *(Place(at, member) for at in archives))
        return (RawFile(name=_NAME, places=places, urls=(Place(_URL, member),), max_bytes=4 * GIBIBYTE),)

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        import polars as pl

        layout = Delimited(name=_NAME, separator="\t", columns=_COLUMNS, quote=None, ragged=True)
        wanted = {"user": ("user", str), "time": ("time", Written("%Y-%m-%dT%H:%M:%SZ"))}
        wanted |= {"id": (f"{self.item}_id", str), "artist": ("artist", str)}
        if self.item == "track":
            # A tab cannot be part of an id or a name, so the two parts never run into each other.
            wanted |= {"artist_id": ("artist_id", str), "track": ("track", str)}
            named = pl.concat_str(pl.coalesce("artist_id", "artist"), "track", separator="\t")
        else:
            named = pl.col("artist")
        with opened(raw, _NAME) as file:
            for rows in layout.blocks(file, wanted, may_be_empty=["id", "artist_id"], malformed=self.malformed):
                yield rows.select("user", item=pl.coalesce("id", named), time=pl.col("time") // 1000)
