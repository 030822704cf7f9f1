"""What screens and messages show of a run, computed from its state. Pure, and light to import."""
