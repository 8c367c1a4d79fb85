"""Evaluation of one set of predictions: macro F1 and other metrics, intervals, signatures.

Comparisons of two sets are in `comparisons`.
"""
