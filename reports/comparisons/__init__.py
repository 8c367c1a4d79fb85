"""Differences between methods: paired bootstrap, tests, leaderboard, and gain of fusions.

One method alone is scored in `scoring`.
"""
