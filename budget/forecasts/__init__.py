"""What is to come: how long work takes, when an account runs dry, when to stop at an edge. Pure."""
