"""What `train` and the jobs round it are made of. Only `recipe` may be imported without torch."""
