"""Compiled loops and array operations that several groups of features share. No feature is defined here."""
