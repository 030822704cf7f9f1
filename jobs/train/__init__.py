"""The job `train`; what it is made of stands in `jobs.training`."""
