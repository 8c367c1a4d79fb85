"""Tracks: the methods that are compared, with a common protocol and a registry.

This package reads no data sets and computes no test scores.
"""
