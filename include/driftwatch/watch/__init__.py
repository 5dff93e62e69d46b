"""What did not happen: looked for each hour from what is stored, since a day that never ran tells nothing by itself."""
