"""What is asked of the network's outputs: losses, probabilities, metrics, by kind of target."""
