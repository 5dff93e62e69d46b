"""Labels from people: what is asked each day, of whom, at what price, and what their answers come to.

Terms of the field, as they are used here:

- sample: the images of a day that annotators are asked about, drawn at random. overlap: how many annotators each image goes to.
- pool: a day's tasks at an annotation service, which annotators take page by page. assignment: a page that one annotator took.
- choice: what can be answered (a class, or the unclear answer). answer: the choice of one annotator for one image. vote: the
  answer that counts, one for each annotator and image. label: what the votes on an image come to.
- control task: an image of known class among the others, by which annotators are judged. exam: the same before they begin.
- consensus: one choice has more votes than any other. coverage: the share of the sample with at least one answer.
"""
