"""Publishing: a day's profiles go to the sinks that the monitor file names, each content once.

Terms: a *profile* is whylogs' summary of a day's features or of its performance, in a few hundred kilobytes. A *sink* is a place that
keeps profiles. The *ledger* is the file that says what was sent where. An *upload* is one profile of one day at one sink; it is sent
into a *slot*, which the sink reserves before. A *revision* replaces a day at a sink by other content.

A new sink is one class beside `local.py`, by the protocol in `base.py`, and one line in `sinks.py` or in the entry points of the
package that brings it. `outbox` holds the alerts until people are told.
"""
