"""Decisions, apart from what carries them out.

1. Pure: time and randomness are passed in; no I/O, no clock.
2. A decision is a value; the pool acts on it.
"""
