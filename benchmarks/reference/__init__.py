"""Lookup and export of the reference results on real data that are distributed with the package.

They are the results of ordinary runs.
"""
