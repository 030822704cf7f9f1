"""How to train, as a plan says it. Nothing here imports torch."""
