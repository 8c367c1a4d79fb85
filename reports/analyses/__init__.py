"""Analyses for ecologists and curators, one module each, with table, summary and figure.

Page layout belongs in `pages`.
"""
