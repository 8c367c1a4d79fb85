"""Tracks that learn from feature tables: XGBoost, scikit-learn classifiers, and baselines.

Images have no place here.
"""
