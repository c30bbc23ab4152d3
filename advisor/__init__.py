"""memadvisor: why memory hurts on a Linux host, what to change, what that costs, and whether it helped."""

__version__ = "0.1.0"
