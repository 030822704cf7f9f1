"""Presses in: what somebody did in Slack becomes a command, once, or a sentence about why not."""
