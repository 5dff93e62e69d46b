"""People of the simulated crowd who label over HTTP, as a browser does: at Driftwatch's desk, or in Label Studio."""
