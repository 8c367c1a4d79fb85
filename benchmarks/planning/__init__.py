"""From a suite to the list of jobs: methods, feature tables, prepared images, submitted predictions.

Nothing is trained here.
"""
