"""Going on with what was stopped, failed or left unfinished. Pure."""
