"""What a track offers, what it is given, and how both are checked. No method belongs here."""
