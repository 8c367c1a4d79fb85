"""Methodological warnings about the results of a section: each kind with the check that finds it (`catalogue`).

Problems in the files of a data set belong in `data_manifests`, and reasons why a value is missing beside that value.
"""
