"""Layouts that can be read, one module each (`recognise`, `files`, `read`).

Rules for faulty content are in `cleaning`.
"""
