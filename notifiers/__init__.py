"""Words out: Slack, the console, and others. Knows nothing of runs but what a notice says."""
