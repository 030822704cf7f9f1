"""What is shown of one run, computed from its state. Pure."""
