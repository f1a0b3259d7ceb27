"""Benchmarks of the library: `python -m benchmarks`, and small ones beside it."""
