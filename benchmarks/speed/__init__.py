"""Speed and memory as ratios measured in one run (`tox -e bench-speed`, `bench-large`).

Nothing here is used in a run.
"""
