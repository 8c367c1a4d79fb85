"""Preparation of native feature tables: imputation, pruning of correlated columns, normalisation.

Reading and cleaning belong in `data_manifests`.
"""
