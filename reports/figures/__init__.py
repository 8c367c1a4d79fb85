"""Static and interactive figures in a common style; the numbers that they show are computed elsewhere."""
