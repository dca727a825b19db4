"""What original code does and we do not, by name: the words that switch each on, and what it is in a sentence.

A paper file names those of its source. Runs with them are held against the published values; beside them stand runs
without, where the file asks for both, because the difference is a result too.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quirk:
    """One departure.

    Attributes:
        words: that switch it on.
        sentence: what it is, and whom it favours.
    """

    words: tuple[str, ...]
    sentence: str


QUIRKS = {
    "seen_at_zero": Quirk(
        ("evaluation=seen_at_zero",),
        "Seen items stay candidates with the score 0 and outrank every candidate below 0.",
    ),
    "negatives_avoid_test": Quirk(
        ("avoid=whole",),
        "Training negatives avoid the user's validation and test item too, a leak in the model's favour.",
    ),
    "sampled_uniform": Quirk(
        ("evaluation=sampled_uniform",),
        "The target is ranked among 100 uniformly drawn items: compare with tables made in this way only.",
    ),
    "sampled_popularity": Quirk(
        ("evaluation=sampled_popularity",),
        "The target is ranked among 100 items drawn by popularity: compare with tables made in this way only.",
    ),
    "popularity_counts_test": Quirk(
        ("baseline=popularity_of_all",),
        "Popularity is counted over all interactions, the test items among them, a leak in its favour.",
    ),
    "cold_targets_dropped": Quirk(
        ("evaluation.cold_targets=dropped",),
        "Users whose target never occurs in training are left out instead of counting as misses.",
    ),
}


def words_of(names: list[str]) -> list[str]:
    """The words of several quirks, one rule of evaluation for all of them."""
    words = [word for name in names for word in QUIRKS[name].words]
    if any(word.startswith("evaluation.") for word in words) and not any(w.startswith("evaluation=") for w in words):
        words.insert(0, "evaluation=cold_dropped")
    return words
