"""What has happened, in the past tense, by what it is about."""
