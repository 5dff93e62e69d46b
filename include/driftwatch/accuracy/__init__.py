"""How right the model is: what the labels of a day say, what the scores say before there are labels, and the verdict.

Terms:

- The *sample*: the images of a day that people are asked about. It is drawn at random, so that it stands for the day.
- A *stratum*: a part of the day's images with a chance of its own to be in the sample, such as rare predicted classes or unsure answers. A label
  there weighs by the stratum's images over its labels.
- A *vote*: one person's answer about one image. The *label*: what the votes on an image are merged to.
- A *control task*: an image whose class is known. The answers to it tell how often people err.
- The *agreement*: the share of labels that are the same as the model's predictions. It is not the accuracy, as some labels are wrong. The
  *corrected* accuracy is the agreement without the labels' own errors.
- The *holdout*: images of the original set that the model was not trained on. The model's accuracy there is what a day is compared with.
- The *evidence* of a day: counts and sums over labels, votes and scores, small enough to be kept. The evidence of several days is added up.
- The *effective number* of labels: the labels of a plain random sample that would give an interval as narrow.
- *Judged*: what the verdict rests on. The rules of `performance.policy` are *below_floor* and *worse*, over all days of a model, and *floor*, *drop* and
  *trend*; one *fires* where it finds the model worse.
"""
