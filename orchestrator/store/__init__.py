"""The SQLite file of events, and what is derived from them."""
