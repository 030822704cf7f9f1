"""What stands in the files, read beside the screen."""
