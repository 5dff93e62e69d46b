"""A local server that speaks WhyLabs' API (Songbird): uploads, reading back, monitors. For demos and tests."""

KEY_VARIABLE = "DRIFTWATCH_WHYLABS_KEY"
