"""Reference implementations of the measured features, and the comparison with them. Nothing here is used in a run."""
