"""Images of a data set: stores in folders, archives and collages, decoding, and pixels. Features are in `features`."""
