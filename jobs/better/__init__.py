"""`better`: of several trainings of the same folds, the one with the better held-out score."""
