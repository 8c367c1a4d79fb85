"""Rules for faulty tables, each stated, counted, and reported. Reading files is done in `readers`."""
