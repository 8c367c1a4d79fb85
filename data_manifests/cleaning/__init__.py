"""Cleaning of raw tables: each kind of fault is counted and reported. Reading files belongs in `readers`."""
