"""The study that leaves out one part of a model at a time, written by itself: `research ablate`."""
