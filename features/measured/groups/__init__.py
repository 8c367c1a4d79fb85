"""Groups of measured features, one module each: names, units, formulas and values. Shared loops are in `kernels`."""
