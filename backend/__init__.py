"""Trains spatial transformer networks, records what they do and streams it."""
