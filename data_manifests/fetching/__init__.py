"""Download of published data sets: resumable, verified, and unpacked safely.

The sources are listed in the manifests.
"""
