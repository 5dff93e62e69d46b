"""Servers that a team may run for real: signed image links, and the page where people label."""
