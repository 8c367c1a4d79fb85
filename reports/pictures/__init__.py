"""Images of objects in the report: examples, outlines, network inputs, confusion cells.

Plots of numbers are in `figures`.
"""
