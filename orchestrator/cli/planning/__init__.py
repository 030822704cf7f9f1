"""From the words after `plan`, `submit` and `run` to a plan that is judged or queued."""
