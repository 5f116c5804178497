"""Exact time: which failures are possible, or inevitable, within the bounds of durations."""
