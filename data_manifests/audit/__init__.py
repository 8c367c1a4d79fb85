"""The audit of a data set: every image opened, every column looked at, and what is wrong told with counts and names."""
