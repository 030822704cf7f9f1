"""What may stand next on a command line."""
