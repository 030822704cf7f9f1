"""A packed set written anew with other channels."""
