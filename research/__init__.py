"""Long- and short-term interest, fused in every way worth comparing. Start at ``research.model``."""

__version__ = "0.1.0"
