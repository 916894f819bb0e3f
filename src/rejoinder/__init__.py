"""A self-hosted two-way SMS message centre. This module holds its version and refuses to hold anything else."""

__version__ = "0.1.0"
