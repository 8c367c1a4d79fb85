"""Readers of the supported layouts, one module each with `recognise`, `files` and `read`.

Rules for faulty content belong in `cleaning`.
"""
