"""The desk: a team's own people label a day's images in their browsers. docs/desk.md is for whoever runs it."""
