"""The tables below the main one as CSV, at full precision: claims, slices, and what explains the variance.

One line a claim, a row of a bucket, or a part; an unknown value is an empty field.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from research.reports.claimed import Judged
from research.reports.comma import TESTED, comparison
from research.reports.explained import Explained
from research.reports.slices import Bucket, Slicing

Slices = Sequence[tuple[Slicing, Sequence[Bucket]]]


def claims_csv(found: Sequence[Judged]) -> str:
    """The verdict on each claim; one without a verdict yet has no numbers."""
    head = ["claim", "better", "worse", "metric", "data", *TESTED]
    lines = []
    for each in found:
        claim = each.claim
        numbers: list[object] = [*comparison(each.verdict)[:-1], each.outcome]
        lines.append([claim.text, claim.better, claim.worse, claim.metric, each.group, *numbers])
    return _written(head, lines)


def slices_csv(slices: Slices, metric: str) -> str:
    """Every row of every bucket, with its comparison to the baseline arm."""
    head = ["slicing", "bucket", "data", "users", "queries", "label", "kind", "cell", f"{metric} mean", f"{metric} std"]
    head += [f"{metric} {part}" for part in TESTED] + ["compared with", "long weight mean"]
    lines = []
    for slicing, buckets in slices:
        for bucket in buckets:
            where = [slicing.words, bucket.name, bucket.group, bucket.users, bucket.queries or bucket.users]
            for row in bucket.rows:
                value, said, weight = row.values.get(metric), row.against.get(metric), row.branch_weight
                numbers = [value.mean, value.std] if value else [None, None]
                other = said.claim.worse if said else None
                line = [*where, row.label, row.kind, row.cell, *numbers, *comparison(said), other]
                lines.append([*line, weight.mean if weight else None])
    return _written(head, lines)


def variance_csv(found: Sequence[Explained]) -> str:
    """Every part of every metric, the noise between seeds last."""
    head = ["data", "metric", "part", "degrees", "sum of squares", "share", "share unbiased", "F", "p", "seeds"]
    lines = []
    for each in found:
        for metric, parts in each.parts.items():
            for part in parts.sources:
                sizes = [part.degrees, part.sum_of_squares, part.share, part.share_unbiased, part.f, part.p]
                lines.append([each.group, metric, part.name, *sizes, each.seeds])
            left = parts.residual
            sizes = [left.degrees, left.sum_of_squares, left.share, None, None, None]
            lines.append([each.group, metric, "seeds", *sizes, each.seeds])
    return _written(head, lines)


def _written(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines)
    return written.getvalue()
