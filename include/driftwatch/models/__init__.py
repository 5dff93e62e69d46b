"""The models of a monitor: how they are trained, kept, compared, and run on a day's images.

The terms of the field, as this package uses them:

- Model version: one trained classifier, registered under a name such as v0003-1a2b3c4d. All versions together are the registry.
- Card: the JSON file that describes a version. It says what the version was trained on, how, and how good it is.
- Champion: the version that production serves. Challenger: a newly trained version that may replace it.
- Gate: the tests that decide whether the challenger becomes the champion. To make a version the champion is to promote it. To go
  back to an earlier champion is a rollback.
- Original set: the labelled images that the team brought. It has three splits: train, validation and evaluation.
- Holdout: the evaluation split of the original set. No model that is trained here learns from it; it only judges them.
- Near-duplicates: pictures that look almost the same. They are never in two splits.
- Recipe: the settings of a training. Epoch: one pass over the training images. Checkpoint: what is saved after an epoch, so that a
  killed training can go on.
- Fine-tuning: a training that starts from the champion's weights instead of new ones.
- Damage: what seems to be wrong with the camera, such as blur. Damaged copies of clean images imitate it for the training.
- Logits: the raw numbers that a network gives, one for each class. Softmax turns them into probabilities, which sum to one.
- Scores: these probabilities. Calibrated scores mean what they say: of the answers with a score of 0.8, about 80 % are right.
- Calibration temperature: the number by which the logits are divided before the softmax, so that the scores are calibrated.
- Embedding: the numbers of the network's last hidden layer for an image. Images that look alike to the model have near embeddings.
- Recall: of the images of a class, the share that the model answers so. Precision: of the images that it answers so, the share
  that is right. F1: the harmonic mean of both.
- p-value: the chance of so large a difference if there were none in truth. Power: the chance that a test sees a real difference.
- Interval: the range in which the true value lies with a given confidence. A one-sided bound is one end of such a range.
"""
