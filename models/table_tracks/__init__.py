"""Tracks on feature tables: XGBoost, scikit-learn classifiers, and baselines.

Image tracks do not belong here.
"""
