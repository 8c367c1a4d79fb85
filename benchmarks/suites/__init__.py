"""Suite files and their schema. How the values are used is decided in `planning`."""
