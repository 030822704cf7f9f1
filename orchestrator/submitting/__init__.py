"""From a plan file to a run that may be queued."""
