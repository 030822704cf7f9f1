"""A store as it is after a year: for benchmarks of what reads it."""
