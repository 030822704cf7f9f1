"""Accounts, limits and entries of the ledger in words. Pure."""
