"""Measurements that print their own figures; ratios of one run, never absolutes of two."""
