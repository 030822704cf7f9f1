"""What is known of runs: derived from the events, and what is read off it."""
