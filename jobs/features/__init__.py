"""`features`: what a network without its last layer says of every picture."""
