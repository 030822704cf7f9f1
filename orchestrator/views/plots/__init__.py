"""Plots drawn with characters. Pure."""
