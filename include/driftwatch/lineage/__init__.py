"""What each step reads and writes, for lineage services: the datasets, their rows, and what the step found out about them."""
