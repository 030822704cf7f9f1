"""What there is of hours and how they go down."""
