"""Predictors: they answer what an image shows. `base` says what is asked and answered. `keras` runs the registered Keras model.
`calibration` turns raw answers into probabilities."""
