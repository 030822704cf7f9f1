"""What is asked before something is changed, and how that is sent."""
