"""Words for people: which events are told, what is said, and the outbox that loses nothing."""
