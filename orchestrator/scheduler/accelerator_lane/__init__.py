"""What gets accelerators, when and for how long. Pure."""
