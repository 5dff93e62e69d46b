"""Whether a monitor can do its work here: `examine.examine` looks at everything that its days need of the outside, and at its numbers.

Nothing is bought, published or changed. One small object is written to the storage and removed again.
"""
