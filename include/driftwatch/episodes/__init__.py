"""Episodes: a change is told once, and not on each of its days.

`signs` reads what a day's artifacts say; `fold` adds a day to the episodes of the days before; `days` does so for the stored days.
"""
