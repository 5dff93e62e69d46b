"""What the pages show, read from a monitor's artifacts: the small JSON and parquet files, and single rows of stored model inputs.

Nothing here writes, and no image is fetched or decoded. What a step has not written yet is None, never zero.
"""
