"""Who answers what an image shows: what is asked and answered (base), the registered Keras model (keras), and how raw answers become
probabilities (calibration)."""
