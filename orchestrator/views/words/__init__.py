"""Sentences that several screens and messages say. Pure."""
