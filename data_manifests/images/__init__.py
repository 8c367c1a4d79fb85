"""Images of a data set: stores in folders and archives, decoding, and pixels. Features belong in `features`."""
