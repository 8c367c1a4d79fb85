"""The commands of `planktonbench`, one module each.

Each command parses its options, calls one function and prints the result; nothing is computed here.
"""
