"""Conformance tests of a user-supplied track on small synthetic objects (`planktonbench check`). No real data used."""
