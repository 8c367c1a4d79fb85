"""The report as files: HTML pages, tables, exports, and templates. No number is computed here."""
