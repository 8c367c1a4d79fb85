"""Preparation of native feature tables: imputation, pruning of correlated columns, normalisation.

Reading and cleaning are in `data_manifests`.
"""
