"""From a line to the arguments of a command."""
