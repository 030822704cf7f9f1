"""One group of jobs on a screen of its own."""
