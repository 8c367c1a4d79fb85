"""Conformance tests of a user-supplied track on small synthetic objects (`planktonbench check`). Real data are not used."""
