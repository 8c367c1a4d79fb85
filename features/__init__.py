"""What tracks learn from: native feature tables, measured features, and network images. No model is fitted here."""
