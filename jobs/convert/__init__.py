"""`convert`: packed sets, class folders and WebDataset tars into each other."""
