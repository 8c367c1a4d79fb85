"""Files of a results folder: where they are and how they are read and written. Nothing is scored here."""
