"""Track protocol: interface of a track, its inputs, and checks of both. Methods do not belong here."""
