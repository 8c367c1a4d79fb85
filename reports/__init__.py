"""Evaluation of stored predictions: scores, comparisons, analyses, and report pages.

Neither data sets nor models are needed.
"""
