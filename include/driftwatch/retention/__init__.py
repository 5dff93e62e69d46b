"""What a monitor keeps, and for how long: `plan` finds what is over by `storage.keep`, `needed` what a retraining still needs, and
`removal` removes it."""
