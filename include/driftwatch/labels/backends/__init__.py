"""Where labels come from: one package for each annotation service, behind the protocol of `base`."""
