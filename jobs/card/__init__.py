"""The job `card`."""
