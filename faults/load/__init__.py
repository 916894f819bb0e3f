"""Load by a clock: arrivals that wait for no answer, over HTTP and SMPP; what was answered, and how the server fared."""
