"""Training. `base` says what a trainer is given and what it returns. `keras` is the built-in trainer, and `batches` makes its batches.
`checkpoints` saves each epoch, so that a killed training can go on."""
