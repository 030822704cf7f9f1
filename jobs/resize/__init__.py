"""`resize`: pictures into a packed set."""
