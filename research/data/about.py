"""What is known of a dataset without opening it: published counts, licence, what to cite, the size of the download.

Each source states these facts once. The listing of `research data`, the table of ``docs/data.md`` and a dataset's own
output are made from them. What nobody states is ``None`` and shown as unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Citation:
    """One work to cite.

    Attributes:
        authors: ``Surname, Given``, in order, with ``; `` between; an organisation as it is written.
        year: of publication.
        title: of the work.
        venue: where it appeared, such as ``CIKM``.
        doi: without an address before it.
        url: where there is no DOI.
    """

    authors: str
    year: int
    title: str
    venue: str = ""
    doi: str = ""
    url: str = ""

    @property
    def short(self) -> str:
        """``Kang & McAuley 2018``, ``Sun et al. 2019``."""
        surnames = [author.partition(",")[0] for author in self.authors.split("; ")]
        names = " & ".join(surnames) if len(surnames) < 3 else f"{surnames[0]} et al."
        return f"{names} {self.year}"

    @property
    def text(self) -> str:
        """One line for a list of references."""
        where = f" {self.venue}." if self.venue else ""
        link = f" doi:{self.doi}" if self.doi else f" {self.url}" if self.url else ""
        return f"{self.authors} ({self.year}). {self.title}.{where}{link}"

    @property
    def bibtex(self) -> str:
        """An entry for a LaTeX bibliography."""
        surname = "".join(c for c in self.authors.partition(",")[0].lower() if c.isascii() and c.isalpha())
        word = next(w for w in self.title.lower().replace("-", " ").split() if w not in ("a", "an", "the"))
        named = [
            a if "," in a else f"{{{a}}}" for a in self.authors.split("; ")
        ]  # braces: an organisation has no first name
        fields = {
            "author": " and ".join(named),
            "title": f"{{{self.title}}}",
            "howpublished": self.venue,
            "year": str(self.year),
            "doi": self.doi,
            "url": self.url,
        }
        key = f"{surname}{self.year}{''.join(c for c in word if c.isascii() and c.isalnum())}"
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@misc{{{key},", *lines, "}"])


@dataclass(frozen=True, kw_only=True)
class About:
    """The facts of one dataset, of its raw files before any selection.

    Attributes:
        users: how many; sessions where a user is one.
        items: how many occur in interactions, else how many are listed.
        interactions: how many rows.
        users_are: what a user is.
        times: their resolution: ``seconds``, ``milliseconds``, ``days``, ``order only``.
        licence: in a few words.
        cite: what its publisher asks to cite, the data first.
        download_bytes: of the official download, packed as it comes.
    """

    users: int | None = None
    items: int | None = None
    interactions: int | None = None
    users_are: str = "users"
    times: str = UNKNOWN
    licence: str = UNKNOWN
    cite: tuple[Citation, ...] = ()
    download_bytes: int | None = None
