"""What the pages, the report, the alerts and the command line show. It is read from a monitor's artifacts: the small JSON and parquet
files, and single rows of the stored model inputs.

Only `report` writes, and it writes one file. No image is fetched or decoded. A value that no step has written yet is None, never zero.

Terms: a tone is the colour of a verdict, such as good or bad. The terms of the models are explained in `driftwatch.models`.
"""
