"""Suite files and their schema. What a suite does with its values is decided in `planning`."""
