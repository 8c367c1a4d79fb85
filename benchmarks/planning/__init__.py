"""Planning of a suite: methods, feature tables, network images, submitted predictions and the list of jobs.

Nothing is trained here.
"""
