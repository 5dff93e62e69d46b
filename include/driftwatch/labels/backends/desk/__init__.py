"""Driftwatch's own labelling page as a label backend."""
