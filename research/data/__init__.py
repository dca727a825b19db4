"""Interactions -> histories -> splits -> batches."""
