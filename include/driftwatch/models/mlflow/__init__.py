"""MLflow beside Driftwatch's own registry: each version is shown there, and a model is taken from there. What is there decides nothing here."""
