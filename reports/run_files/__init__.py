"""Files of a results folder: paths, formats and readers. Runs are written by `benchmarks.execution.store`."""
