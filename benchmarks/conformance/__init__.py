"""Conformance tests of user-supplied tracks (`planktonbench check`). They use synthetic objects, never real data."""
