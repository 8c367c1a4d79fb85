"""Simulated plankton: small drawings in the layout of a real data set, for newcomers, tests, courses and scale."""
