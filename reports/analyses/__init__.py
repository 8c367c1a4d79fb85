"""Analyses for ecologists and curators: one class each, often with table, summary and figure (`catalogue`).

Page layout belongs in `pages`, and what a reader must be warned of in `warnings`.
"""
