"""Stop rules are asked, and what they say is done."""
