"""A self-hosted two-way SMS message centre. This module holds its version and nothing else."""

__version__ = "0.1.0"
