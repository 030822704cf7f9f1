"""What `skint doctor` looks at: one file a subject, each a function from a machine to findings."""
