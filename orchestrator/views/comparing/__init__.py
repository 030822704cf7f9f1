"""Runs beside others and beside what is known from before. Pure."""
