"""Images of objects in the report: examples, outlines, network images, confusion cells.

Plots of numbers are in `figures`.
"""
