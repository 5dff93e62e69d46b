"""From the files that a camera or a service left in a day's folder to what the other packages work with.

The words that this package uses:

- object: a file of the storage. `listing` says which objects of a folder are to be images; the others are *ignored*.
- one pass: each object is fetched, hashed, checked and decoded once (`one_pass`). It is *accepted*, a *duplicate* (the bytes of an
  accepted image once more), or *quarantined* (refused, with a reason).
- manifest: the table with one row for each object and what became of it. An image's id is the sha256 of its bytes.
- features: numbers that are measured on the pixels of an accepted image, such as its sharpness (`features`).
- input: the image squashed to the small square that the model takes (`inputs`).
- block: 256 objects of the listing, whose inputs are stored together. Shard: some blocks that one task handles (`shards`).
- near-duplicates: images that show nearly the same, found by a *perceptual hash* (`near_duplicates`).
- kernel: a small compiled function that works on pixels (`kernels`).
"""
