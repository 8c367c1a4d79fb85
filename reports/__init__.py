"""What predictions were worth: reading them, scoring them, and showing it."""
