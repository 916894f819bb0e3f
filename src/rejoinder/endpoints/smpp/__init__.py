"""What customers bind to: the SMPP server, around the pure session of rejoinder.smpp."""
