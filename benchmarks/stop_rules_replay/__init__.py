"""Recorded runs, stopped in thought: benchmarks/stop_rules.py says what is measured."""
