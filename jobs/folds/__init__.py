"""`folds`: which samples train, validate and test."""
