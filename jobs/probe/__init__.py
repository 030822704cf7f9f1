"""The job `probe`: a minute of quota that says how the hours should be spent."""
