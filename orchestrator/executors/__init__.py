"""Executors: `base.py` is the interface; each other file is one implementation of it."""
