"""The sections of the page that are more than one call: answers, figures, slices, protocol, environment."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from research.reports.answer import answer
from research.reports.claimed import claims_grid, claims_notes, claims_sentence, judged_claims
from research.reports.comparison_notes import slice_notes
from research.reports.digits import metric_name
from research.reports.explained import HEADING, explained, explained_grid, explained_notes
from research.reports.figures import figures
from research.reports.groups import data_name, protocol
from research.reports.hypertext import bullets, definitions, figure, grid_table, paragraph, slice_table
from research.reports.notes import fact
from research.reports.records import Run, StudyRecords, plain
from research.reports.row import Row
from research.reports.slices import Bucket, Slicing
from research.reports.tunings import chosen_grid


def answers_section(records: StudyRecords, rows: Sequence[Row], metric: str) -> str:
    """The claims that hold, one sentence a group, and what no sentence here may claim."""
    claims = claims_sentence(judged_claims(records, rows))
    said = [paragraph(claims, "answer")] if claims else []
    for group in dict.fromkeys(row.group for row in rows):
        sentence = answer([row for row in rows if row.group == group], metric, records.baseline)
        said.append(paragraph(f"{group}: {sentence}" if group else sentence, "answer"))
    tested = any(row.against for row in rows)
    limits = "Undecided does not mean equal; the interval says how large a difference is still possible."
    if not tested:
        limits = "This compares means with their spread over seeds. No paired comparison over users was made."
    return "\n".join([*said, paragraph(limits)])


def claims_section(records: StudyRecords, rows: Sequence[Row]) -> str:
    """The verdict on each claim; absent where the study claims nothing."""
    claims = judged_claims(records, rows)
    printed = claims_grid(claims)
    if printed is None:
        return ""
    table = grid_table(printed, "Verdicts on the claims")
    return _section("claims", "Claims", [table, bullets(claims_notes(records, claims), "notes")])


def variance_section(records: StudyRecords, rows: Sequence[Row], metric: str) -> str:
    """The share of each axis; absent where axes are not crossed, a reason where they are crossed in part."""
    found = explained(records, rows)
    printed = explained_grid(found)
    table = [grid_table(printed, "Parts of the variance between runs")] if printed else []
    notes = [bullets(explained_notes(found, metric), "notes")] if found else []
    return _section("variance", HEADING, [*table, *notes])


def tuning_section(records: StudyRecords, rows: Sequence[Row]) -> str:
    """What each arm's trials chose; absent where nothing was tuned."""
    chosen = chosen_grid(rows, records)
    return _section("tuning", "Tuning", [grid_table(chosen, "What the tuning chose, on validation")] if chosen else [])


def figures_section(records: StudyRecords, rows: Sequence[Row], buckets: Sequence[Bucket], metric: str) -> str:
    parts = []
    for group, plots in figures(records, rows, buckets, metric):
        heading = [f"<h3>{escape(group)}</h3>"] if group else []
        drawn = "\n".join(figure(plot) for plot in plots)
        parts += [*heading, f'<div class="figures">\n{drawn}\n</div>'] if plots else []
    return _section("figures", "Figures", parts)


def slices_section(records: StudyRecords, slices: Sequence[tuple[Slicing, Sequence[Bucket]]], metric: str) -> str:
    """A section a slicing, in it one table a group: arms by buckets."""
    sections = []
    for slicing, buckets in slices:
        parts = []
        for group in dict.fromkeys(bucket.group for bucket in buckets):
            inside = [bucket for bucket in buckets if bucket.group == group]
            caption = f"{metric_name(metric)} by {slicing.words}{f': {group}' if group else ''}"
            parts.append(slice_table(inside, metric, caption))
        notes = slice_notes(records, buckets)
        sections.append(_section(slicing.name, slicing.heading, [*parts, bullets(notes, "notes")] if notes else parts))
    return "\n".join(sections)


def protocol_section(records: StudyRecords) -> str:
    """The whole protocol and audit, small mappings included."""
    rules = dict.fromkeys(protocol(run) for run in records.finished)
    parts = [bullets(rules)]
    audits: dict[str, Mapping[str, object]] = {}
    for run in records.finished:
        name = f"{data_name(run)}, digest {plain(run.section('data').get('digest', 'unknown'))}"
        audit = run.section("data").get("audit")
        audits.setdefault(name, audit if isinstance(audit, Mapping) else {})
    for name, audit in audits.items():
        parts += [f"<h3>{escape(name)}</h3>", definitions(_flat(audit))]
    return "\n".join(parts)


def environment_section(records: StudyRecords) -> str:
    """Each fact once; where runs differ, all its values."""
    found: dict[str, dict[str, None]] = {}
    for run in records.finished:
        for key, value in _origin(run):
            found.setdefault(key, {})[plain(value)] = None
    return definitions((key.replace("_", " "), " / ".join(values)) for key, values in found.items())


def regenerate_section(records: StudyRecords) -> str:
    name = shlex.quote(records.name)
    commands = [
        f"research study {name}    # runs what is missing",
        f"research table {name}    # --format md, latex or csv",
        f"research report {name}   # this page",
    ]
    return f"<pre><code>{escape(chr(10).join(commands))}</code></pre>"


def _origin(run: Run) -> Iterable[tuple[str, object]]:
    code = run.section("code")
    yield "code", f"{plain(code.get('version', 'unknown'))} at {plain(code.get('commit') or 'unknown')}"
    yield from sorted(run.section("environment").items())


def _flat(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """``{"history_length": {"min": 20}}`` -> ``("history length, min", "20")``."""
    pairs = []
    for key, value in facts.items():
        words = str(key).replace("_", " ")
        if isinstance(value, Mapping):
            pairs += [(f"{words}, {inner}", text) for inner, text in _flat(value)]
        else:
            pairs.append((words, fact(value)))
    return pairs


def _section(name: str, heading: str, parts: Sequence[str]) -> str:
    """A section, or nothing where it has no content."""
    if not parts:
        return ""
    body = "\n".join(parts)
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{heading}</h2>\n{body}\n</section>'
