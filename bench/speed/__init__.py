"""How fast the one pass is, as ratios in one run: `python -m bench.speed.run`."""
