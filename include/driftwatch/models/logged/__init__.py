"""What production answered, read from the log that it wrote.

`files` finds a day's files, `formats` and `presets` read rows from them, `columns` says what each column of a row holds, `answers` brings
them into the monitor's classes, and `join` gives each image its answer. `day` does all of it for a day, `registration` for the training
images.
"""
