"""What stored predictions are worth: scores, comparisons, analyses, and report pages.

Neither data sets nor models are needed.
"""
