"""How long jobs will take, and what finished ones teach of it. Pure."""
