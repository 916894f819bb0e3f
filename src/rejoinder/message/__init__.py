"""What a message is: its ids, numbers, text, parts, statuses and carrier references.

Everything here is pure: values in, values out. No I/O, no clock, no import of another part of Rejoinder.
"""
