"""Files of the report: HTML pages with their templates, tables, and exports. The numbers are computed elsewhere."""
