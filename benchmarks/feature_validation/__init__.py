"""Validation of measured features against reference implementations. Nothing in this package is used in a run."""
