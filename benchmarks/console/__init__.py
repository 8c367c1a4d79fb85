"""Terminal output: plain text, progress bars and verbosity. Independent of what is run."""
