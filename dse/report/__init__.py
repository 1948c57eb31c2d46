"""Reports: tables, run folders and figures."""
