"""What is run: suites, plans, workers, the store, and the command line."""
