"""The runs, their jobs and both lanes."""
