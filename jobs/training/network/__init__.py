"""Networks by name, their starting weights, their layers."""
