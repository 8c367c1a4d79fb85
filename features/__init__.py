"""What tracks learn from: the native table prepared, later measured features and image stacks."""
