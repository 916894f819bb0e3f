"""Measures Rejoinder and writes what it measured to bench/results/; `python -m bench --help` says how.

It refuses to write a figure by hand: bench/README.md's table is made from the results alone.
"""
