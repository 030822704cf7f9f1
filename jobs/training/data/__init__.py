"""From a packed set to the batches that train and validate."""
