"""Training: what a trainer is given and leaves (base), the built-in one (keras) with its batches, and the checkpoints by which a
killed training goes on."""
