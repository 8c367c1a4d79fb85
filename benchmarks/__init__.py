"""Running benchmarks: command line, suites, planning, execution, conformance, and checks of planktonbench itself.

No metric, model or reader belongs here.
"""
