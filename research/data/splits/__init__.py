"""Protocols beside leave-one-out, one a file."""
