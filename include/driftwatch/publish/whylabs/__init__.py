"""WhyLabs: the API's client, the sink over it, WhyLabs' own monitors, and what they find.

Terms of WhyLabs: an *organisation* has *datasets* (also called models); a dataset gets one merged profile a day. An *analyzer*
computes a value of each day and compares it; a *monitor* tells people of what its analyzer finds. The *baseline* is what an analyzer
compares the day with. A day *is analysed* once WhyLabs' daily run has looked at it.
"""
