"""Slack: messages out by the Web API or a webhook, presses in by Socket Mode."""
