"""What is kept to go on exactly where a training stopped."""
