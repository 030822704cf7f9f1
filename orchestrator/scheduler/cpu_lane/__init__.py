"""What runs on the cores of this machine, and when. Pure."""
