"""Files of a results folder: paths, readers and writers. Nothing is scored here."""
