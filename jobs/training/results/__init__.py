"""What a trained fold publishes."""
