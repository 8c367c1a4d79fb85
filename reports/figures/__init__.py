"""Static and interactive figures in a common style. Analyses draw their own figures with it."""
