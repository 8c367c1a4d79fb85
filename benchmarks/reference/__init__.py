"""Reference results on real data that come with the package: finding and exporting them.

They are made by ordinary runs.
"""
