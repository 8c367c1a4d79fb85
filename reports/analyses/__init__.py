"""Analyses for ecologists and curators: a table each, often with summary and figure (`catalogue`), and warnings.

Page layout belongs in `pages`.
"""
