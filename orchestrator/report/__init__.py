"""One page about a run, which needs nothing else: `skint report`."""
