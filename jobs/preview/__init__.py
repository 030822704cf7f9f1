"""The job `preview`."""
