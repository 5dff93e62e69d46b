"""Artifacts: the files that a monitor stores for each day, model and retraining. `keys` says where they lie, and the other modules say what
each file holds.

Terms: the reference is what a day is compared with, the data of images without drift. Drift is a change of the images, of what they show, or
of the model's answers. A verdict is the outcome of a test or of a day, such as ok or alert. A sink is a place that profiles are sent to."""
