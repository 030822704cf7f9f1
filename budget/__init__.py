"""Hours: accounts, windows, durations and the ledger that cannot be overdrawn.

Imports the standard library and `skint.errors` only.
"""
