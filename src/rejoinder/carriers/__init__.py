"""Links to networks: each takes MTs, tells what became of them, and hands in receipts and MOs."""
