"""Files of the report: HTML pages with their templates, tables and exports; the numbers are computed elsewhere."""
