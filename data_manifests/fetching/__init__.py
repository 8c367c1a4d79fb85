"""Download of published data sets: resumed, verified, and unpacked safely.

Where they come from is written in the manifests.
"""
