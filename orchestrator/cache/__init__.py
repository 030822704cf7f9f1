"""The results and leftovers of runs on disk: what there is, what may go, and taking it away."""
