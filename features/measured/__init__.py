"""Handcrafted features measured from images: catalogue, extraction and tables.

Their reference implementations are in `benchmarks/feature_validation`.
"""
