"""`scan`: what there is under a folder, looked at once, and what is to be learnt from it."""
