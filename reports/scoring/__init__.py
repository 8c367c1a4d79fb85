"""The evaluator of one set of predictions: macro F1 and other metrics, intervals, signatures.

Two sets are compared in `comparisons`.
"""
