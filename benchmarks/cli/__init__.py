"""Commands of `planktonbench`, one module each.

They parse options, call one function, and print; nothing is computed here.
"""
