"""Work that an interrupted attempt has left, taken up where it stopped."""
