"""The ground floor: what a data set is, how it is read, cleaned and split."""
