"""Lookup and export of the reference results on real data that come with the package.

They are the results of ordinary runs.
"""
