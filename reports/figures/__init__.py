"""Static and interactive figures in a common style. The numbers that they show are computed elsewhere."""
