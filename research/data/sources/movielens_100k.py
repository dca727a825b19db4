"""MovieLens 100K: 943 users, 1,682 films, 100,000 ratings from September 1997 to April 1998.

Every user has at least 20 ratings. Times are whole seconds and users rated many films within one minute, so
ties in time are common; they keep the order of ``u.data``, which is not sorted. Every rating counts as an
interaction, whatever its stars: the question is what somebody watches next, not whether they liked it.

Source: https://grouplens.org/datasets/movielens/100k/ (F. M. Harper and J. A. Konstan, 2015: The MovieLens
Datasets: History and Context. ACM TiiS 5(4), 19). Licence: GroupLens research licence, no commercial use, no
redistribution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.data.about import About
from research.data.raw import Place, RawFile, Terms, WheelMember
from research.data.source import read_integers
from research.data.sources.movielens import HARPER
from research.data.text_source import TextSource

if TYPE_CHECKING:
    import polars as pl

_URLS = (
    "https://files.grouplens.org/datasets/movielens/ml-100k.zip",
    "http://files.grouplens.org/datasets/movielens/ml-100k.zip",
)
# What the 19 flags of u.item mean, in their order.
_GENRES = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]
# The same ratings in the same order, behind a header line. Only this version has been compared.
_WHEEL = "recbole==1.2.1"
_IN_WHEEL = "recbole/dataset_example/ml-100k/"

TERMS = Terms(
    "MovieLens 100K belongs to the GroupLens Research Project at the University of Minnesota. Use it for "
    "research, not for commercial purposes; do not redistribute it; cite Harper and Konstan (2015), "
    "doi:10.1145/2827872.",
    "https://files.grouplens.org/datasets/movielens/ml-100k-README.txt",
)


def u_data_of_atomic_file(content: bytes) -> bytes:
    """RecBole's ``ml-100k.inter`` as ``u.data``: no header line, and whole numbers without a fraction."""
    _, _, body = content.replace(b"\r\n", b"\n").partition(b"\n")
    if b"." in body:
        rows = (line.split(b"\t") for line in body.splitlines())
        body = b"".join(b"\t".join(b"%d" % int(float(x)) for x in row) + b"\n" for row in rows)
    return body


def _below(name: str) -> tuple[Place, ...]:
    """Where a file of the archive may lie below a directory of the user's."""
    member = f"ml-100k/{name}"
    return (Place(member), Place(name), Place("ml-100k.zip", member), Place("ml-100k/ml-100k.zip", member))


@dataclass(frozen=True, kw_only=True)
class MovieLens100K(TextSource):
    """The 100,000 ratings of ``u.data``, with titles, genres and users' age, gender and occupation where a place has
    ``u.item`` and ``u.user``."""

    @property
    def name(self) -> str:
        return "ml-100k"

    @property
    def about(self) -> About:
        return About(
            users=943,
            items=1_682,
            interactions=100_000,
            times="seconds",
            licence="GroupLens: research, no redistribution",
            cite=(HARPER,),
            download_bytes=4_924_029,
        )

    @property
    def terms(self) -> Terms:
        return TERMS

    def files(self) -> tuple[RawFile, ...]:
        return (
            RawFile(
                name="u.data",
                sha256="06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490",
                places=_below("u.data"),
                urls=tuple(Place(url, "ml-100k/u.data") for url in _URLS),
                wheel=WheelMember(
                    requirement=_WHEEL, member=f"{_IN_WHEEL}ml-100k.inter", convert=u_data_of_atomic_file
                ),
            ),
            RawFile(
                name="u.item",
                sha256="553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701",
                places=_below("u.item"),
                urls=tuple(Place(url, "ml-100k/u.item") for url in _URLS),
                optional=True,
            ),
            RawFile(
                name="ml-100k.item",
                sha256="51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
                wheel=WheelMember(requirement=_WHEEL, member=f"{_IN_WHEEL}ml-100k.item"),
                optional=True,
            ),
            RawFile(
                name="u.user",
                sha256="f120e114da2e8cf314fd28f99417c94ae9ddf1cb6db8ce0e4b5995d40e90e62c",
                places=_below("u.user"),
                urls=tuple(Place(url, "ml-100k/u.user") for url in _URLS),
                optional=True,
            ),
            RawFile(
                name="ml-100k.user",
                sha256="4f670007d9cfbeb9807e757209af1555b9bcc186bde25e767f67cb67c6dd5972",
                wheel=WheelMember(requirement=_WHEEL, member=f"{_IN_WHEEL}ml-100k.user"),
                optional=True,
            ),
        )

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        return read_integers(raw["u.data"], ["user", "item", "rating", "time"], "\t", "u.data", self.malformed)

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str] | None:
        if "u.item" in raw:
            rows = [line.split("|") for line in raw["u.item"].decode("latin-1").splitlines()]
            return {row[0]: row[1].strip() for row in rows}
        if "ml-100k.item" in raw:
            # The wheel has title and year apart; item 267, "unknown" in u.item, is misspelt there.
            rows = [line.split("\t") for line in raw["ml-100k.item"].decode("utf-8").splitlines()[1:]]
            return {row[0]: "unknown" if row[1] == "unkonwn" else f"{row[1]} ({row[2]})" for row in rows}
        return None

    def item_features(self, raw: Mapping[str, bytes]) -> pl.DataFrame | None:
        """Each film's genres."""
        import polars as pl

        if "u.item" in raw:
            rows = [line.split("|") for line in raw["u.item"].decode("latin-1").splitlines()]
            lists = [[name for name, flag in zip(_GENRES, row[5:], strict=False) if flag == "1"] for row in rows]
        elif "ml-100k.item" in raw:
            # Words between spaces; no genre has one in its name.
            rows = [line.split("\t") for line in raw["ml-100k.item"].decode("utf-8").splitlines()[1:]]
            lists = [row[3].split() for row in rows]
        else:
            return None
        return pl.DataFrame({"item": [row[0] for row in rows], "genre": pl.Series(lists, dtype=pl.List(pl.String))})

    def user_features(self, raw: Mapping[str, bytes]) -> pl.DataFrame | None:
        """Each user's age in years, gender and occupation."""
        import polars as pl

        if "u.user" in raw:
            rows = [line.split("|") for line in raw["u.user"].decode("latin-1").splitlines()]
        elif "ml-100k.user" in raw:
            rows = [line.split("\t") for line in raw["ml-100k.user"].decode("utf-8").splitlines()[1:]]
        else:
            return None
        return pl.DataFrame([row[:4] for row in rows], ["user", "age", "gender", "occupation"], orient="row")
