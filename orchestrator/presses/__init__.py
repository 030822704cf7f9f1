"""Presses: what a button carries, and what becomes of it when somebody presses."""
