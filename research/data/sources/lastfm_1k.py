"""Last.fm 1K: 992 listeners, 19,150,868 plays from 2005 to 2009 to the second, of tracks or of artists.

People hear the same track again and again: repeats are the rule, and a filter of seen items would remove most
targets. An item is a track (MusicBrainz id, else the artist and the title) or an artist (107,528 with an id and 69,420
without, which go by their name). Rows stand newest first within each user. Names hold quotation marks and, in a few
rows, tabs: the first fields of a row count, what is too much is left off.

Source: http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html (O. Celma, 2010: Music Recommendation and
Discovery in the Long Tail, Springer). Licence: non-commercial, with permission of Last.fm.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.clock import read_times
from research.data.raw import GIBIBYTE, Place, RawFile, Terms
from research.data.source import Source
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_NAME = "userid-timestamp-artid-artname-traid-traname.tsv"
_URL = "http://mtg.upf.edu/static/datasets/last.fm/lastfm-dataset-1K.tar.gz"
_COLUMNS = ("user", "time", "artist_id", "artist", "track_id", "track")


@dataclass(frozen=True, kw_only=True)
class LastFm1K(Source):
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

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        try:
            rows = pl.read_csv(
                io.BytesIO(raw[_NAME]),
                has_header=False,
                separator="\t",
                quote_char=None,
                schema=dict.fromkeys(_COLUMNS, pl.String()),
                truncate_ragged_lines=True,
            )
        except pl.exceptions.PolarsError as error:
            raise UserError(f"{_NAME} cannot be read as a table: {error}") from error
        artist = pl.coalesce("artist_id", "artist")
        # A tab cannot be part of an id or a name, so the two parts never run into each other.
        track = pl.coalesce("track_id", pl.concat_str(artist, "track", separator="\t"))
        rows = rows.select("user", item=track if self.item == "track" else artist, time="time")
        if wrong := rows.select(pl.any_horizontal(pl.all().is_null())).to_series().sum():
            raise UserError(
                f"{_NAME}: {wrong:,} rows have no user, time or {self.item}. Is it the right file, and whole?"
            )
        return read_times(rows, "%Y-%m-%dT%H:%M:%SZ", _NAME)
