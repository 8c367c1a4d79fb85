"""The tracks: one family of methods per module, behind one protocol and one registry."""
