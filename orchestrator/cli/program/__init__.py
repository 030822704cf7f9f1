"""`skint exec`: a program from the line to its end."""
