"""`stats`: what a packed set is like."""
