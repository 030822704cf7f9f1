"""How weights change: optimizers, schedules, averages."""
