"""A Label Studio of the team's own, as a label backend."""
