"""Public datasets, one a file: what it is, its licence and counts, where it comes from, how it is read."""
