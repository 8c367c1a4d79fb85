"""What a user sees in a terminal: plain output, progress bars, and verbosity. Nothing here knows what is run."""
