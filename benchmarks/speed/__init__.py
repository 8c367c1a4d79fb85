"""Speed and memory benchmarks (`tox -e bench-speed`, `bench-large`).

Nothing in this package is used in a run.
"""
