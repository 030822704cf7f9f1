"""`errors`: what the models of all folds get wrong."""
