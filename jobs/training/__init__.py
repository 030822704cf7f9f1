"""What the job `train` is made of. Only `names` may be imported without torch."""
