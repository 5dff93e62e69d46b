"""Local stand-ins for the services and people that Driftwatch talks to."""
