"""The promises under fault: kills, power loss, cuts; run by `make faults`, a small sample by the tests."""
