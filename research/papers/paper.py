"""A published row or small table as data: ``configs/paper/<name>.yaml``, checked when it is read.

question: Does our SASRec with cross-entropy reach the published one?
source:
  paper: Klenitskiy and Vasilev, RecSys 2023
  table: results on ML-1M                  # which table or lines
  read: antklen/..., README.md             # where the number was read
  kind: authors                            # authors' repository; second hand; or computed from their files
data: ml-1m-sasrec
files: {ml-1m.txt: b725f3...}              # SHA-256 of the raw files that the numbers belong to
protocol: {split: leave-one-out, ranking: full catalogue, seen: filtered}    # as the source has it
quirks: [seen_at_zero]                     # what its code does and ours does not: research/papers/quirks.py
honest: true                               # whether each row is run without the quirks too
set: [max_length=200]                      # words of every row
rows:
  sasrec_ce: {published: {recall@10: .3152}, set: [model=sasrec, loss=cross_entropy]}
  gru_ce: {set: [encoder@long=gru]}        # ours alone: nothing was published
baselines: [popularity, ease]
seeds: [1, 2, 3]
tolerance: 0.05                            # relative
notes: [What a reader of the row should know.]

A value that nobody has read has no place here: ``memory: true``, anywhere, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from research.config import option_file, options
from research.errors import UserError
from research.metrics.ranking import parse
from research.papers.quirks import QUIRKS, words_of
from research.schema import nearest

KINDS = ("authors", "second hand", "computed")
KEYS = {
    "question": str,
    "source": dict,
    "data": str,
    "files": dict,
    "protocol": dict,
    "quirks": list,
    "honest": bool,
    "set": list,
    "rows": dict,
    "baselines": list,
    "seeds": list,
    "tolerance": float,
    "notes": list,
}
NEEDED = ("question", "source", "data", "protocol", "rows")
PROTOCOL = ("split", "ranking", "seen", "cold_targets", "negatives")
HONEST = ", honest"
"""How the label of a row without quirks ends."""


@dataclass(frozen=True)
class PaperRow:
    """One model of a table: its published values, none where nothing was published, and the words that run it."""

    published: dict[str, float]
    set: list[str]


@dataclass(frozen=True)
class Source:
    """Where the values come from."""

    paper: str
    table: str
    read: str
    kind: str


@dataclass(frozen=True)
class Paper:
    """A paper file, checked."""

    name: str
    question: str
    source: Source
    data: str
    protocol: dict[str, str]
    rows: dict[str, PaperRow]
    files: dict[str, str] = field(default_factory=dict)
    quirks: list[str] = field(default_factory=list)
    honest: bool = False
    set: list[str] = field(default_factory=list)
    baselines: list[str] = field(default_factory=list)
    seeds: list[int] = field(default_factory=lambda: [1, 2, 3])
    tolerance: float = 0.05
    notes: list[str] = field(default_factory=list)

    @property
    def common(self) -> list[str]:
        """Words of every run, rows without training among them."""
        rules = [word for word in words_of(self.quirks) if word.startswith("evaluation")]
        return [f"data={self.data}", *self.set, *([] if self.honest else rules)]

    @property
    def arms(self) -> dict[str, list[str]]:
        """Label -> words beside those of every run; with ``honest`` a published row stands twice, another without."""
        arms = {}
        for name, row in self.rows.items():
            # What draws no negatives has none that could avoid anything, and only popularity is counted.
            draws = not any(word == "loss=cross_entropy" or word.startswith("baseline=") for word in row.set)
            quirks = [word for word in words_of(self.quirks) if draws or not word.startswith("avoid=")]
            counted = [word for word in quirks if word.startswith("baseline=popularity_")]
            own = [counted[0] if counted and word == "baseline=popularity" else word for word in row.set]
            if row.published or not self.honest:
                arms[name] = [*own, *(word for word in quirks if word not in [*self.common, *counted])]
            if self.honest:
                arms[name + HONEST] = row.set
        return arms

    @property
    def metrics(self) -> list[str]:
        """Published ones in their order, and those that every table has."""
        named = [metric for row in self.rows.values() for metric in row.published]
        return list(dict.fromkeys([*named, "recall@10", "ndcg@10"]))


def read_paper(name: str) -> Paper:
    """Read ``configs/paper/<name>.yaml``, or a file by its path.

    Raises:
        UserError: no such file, a key that it cannot have, one that is missing or malformed, or a value from memory.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else option_file("paper", name)
    if not path.is_file():
        known = options("paper")
        raise UserError(f"There is no paper file {name!r}. Known: {', '.join(known)}.{nearest(name, known)}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not readable YAML: {error}") from error
    return check_paper(content, path.stem, str(path))


def check_paper(content: Any, name: str, where: str) -> Paper:
    """The paper that a file's content describes.

    Args:
        content: of the file, as YAML reads it.
        name: of the paper.
        where: begins every message.

    Raises:
        UserError: see `read_paper`.
    """
    if not isinstance(content, dict):
        raise UserError(f"{where}: a paper file is a mapping with the keys {', '.join(NEEDED)}.")
    _no_memory(content, where)
    _keys(content, list(KEYS), NEEDED, "a paper file", where)
    if isinstance(content.get("tolerance"), int) and not isinstance(content["tolerance"], bool):
        content = {**content, "tolerance": float(content["tolerance"])}
    for key, kind in KEYS.items():
        if key in content and not isinstance(content[key], kind):
            raise UserError(f"{where}: {key!r} should be a {kind.__name__}, not {content[key]!r}.")
    source = _source(content["source"], where)
    if not content["rows"]:
        raise UserError(f"{where}: 'rows' is empty.")
    rows = {str(label): _row(row, f"{where}, row {label}") for label, row in content["rows"].items()}
    if not any(row.published for row in rows.values()):
        raise UserError(f"{where}: no row has a published value, so there is nothing to reproduce. Make it a study.")
    for quirk in content.get("quirks", []):
        if quirk not in QUIRKS:
            raise UserError(
                f"{where}: no quirk {quirk!r}. Known: {', '.join(QUIRKS)}.{nearest(str(quirk), list(QUIRKS))}"
            )
    if content.get("honest") and not content.get("quirks"):
        raise UserError(f"{where}: 'honest' runs each row without the quirks too, and there is no quirk. Leave it out.")
    for key in content["protocol"]:
        if key not in PROTOCOL:
            raise UserError(f"{where}: the protocol has no {key!r}. Known: {', '.join(PROTOCOL)}.")
    for key in ("set", "baselines", "notes"):
        _words(content.get(key, []), key, where)
    if not all(isinstance(s, int) and not isinstance(s, bool) and s >= 0 for s in content.get("seeds", [1])):
        raise UserError(f"{where}: 'seeds' should be a list of whole numbers, such as [1, 2, 3].")
    if not 0 < content.get("tolerance", 0.05) < 1:
        raise UserError(f"{where}: tolerance={content['tolerance']} should be a share, such as 0.05.")
    for file, digest in content.get("files", {}).items():
        if not isinstance(digest, str) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise UserError(f"{where}: files: {file} should have a SHA-256, 64 hexadecimal digits, not {digest!r}.")
    return Paper(name=name, **{**content, "source": source, "rows": rows})


def _no_memory(node: Any, where: str) -> None:
    if isinstance(node, dict):
        if node.get("memory"):
            raise UserError(f"{where}: a value from memory is never used. Open the source, read it, say where.")
        for each in node.values():
            _no_memory(each, where)
    elif isinstance(node, list):
        for each in node:
            _no_memory(each, where)


def _keys(content: dict[Any, Any], known: list[str], needed: tuple[str, ...], what: str, where: str) -> None:
    for key in content:
        if key not in known:
            raise UserError(f"{where}: {what} has no key {key!r}. Known: {', '.join(known)}.{nearest(str(key), known)}")
    for key in needed:
        if key not in content or content[key] in (None, "", [], {}):
            raise UserError(f"{where}: {what} needs {key!r}.")


def _source(content: dict[Any, Any], where: str) -> Source:
    keys = ["paper", "table", "read", "kind"]
    _keys(content, [*keys, "memory"], tuple(keys), "a source", where)
    if content["kind"] not in KINDS:
        raise UserError(f"{where}: the source's kind is one of {', '.join(KINDS)}, not {content['kind']!r}.")
    return Source(**{key: str(content[key]) for key in keys})


def _row(content: Any, where: str) -> PaperRow:
    if not isinstance(content, dict):
        raise UserError(f"{where} should be a mapping with 'set' and 'published', not {content!r}.")
    _keys(content, ["published", "set", "memory"], ("set",), "a row", where)
    published = content.get("published") or {}
    if not isinstance(published, dict):
        raise UserError(
            f"{where}: a published value needs its metric, such as {{recall@10: 0.3152}}, not {published!r}."
        )
    for metric, value in published.items():
        parse(str(metric))
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
            raise UserError(f"{where}: {metric} is {value!r}; a published value lies between 0 and 1, not in percent.")
    _words(content["set"], "set", where)
    return PaperRow({str(metric): float(value) for metric, value in published.items()}, content["set"])


def _words(words: Any, key: str, where: str) -> None:
    wanted = {"set": "overrides, such as [width=64]", "baselines": "names", "notes": "sentences"}[key]
    fits = isinstance(words, list) and all(isinstance(w, str) and (key != "set" or "=" in w) for w in words)
    if not fits:
        raise UserError(f"{where}: {key!r} should be a list of {wanted}.")
