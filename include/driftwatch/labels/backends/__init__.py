"""Where labels come from: one package for each annotation service."""
