"""Folders of users: the manifest that a folder contains, the name of one without, and a draft to be filled in.

Descriptions of published data sets belong in the shipped manifests.
"""
