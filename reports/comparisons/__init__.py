"""Differences between methods: paired bootstrap, significance tests, leaderboard, and gain of fusions.

Scores of a single method belong in `scoring`.
"""
