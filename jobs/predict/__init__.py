"""`predict`: trained folds on new pictures, and a submission of what they say."""
