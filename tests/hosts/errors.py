"""What can go wrong with test hosts."""

from __future__ import annotations


class HostError(Exception):
    """A guest, or what it is made of, failed; the message says which one and how."""


class UnavailableError(HostError):
    """Test hosts cannot be had on this machine, through no fault of ours; who runs the tests may go on without."""


class MissingToolError(UnavailableError):
    """This machine lacks a program, and it cannot be installed."""


class UnreachableError(UnavailableError):
    """What guests are made of cannot be downloaded."""


class UnfitKernelError(HostError):
    """A kernel lacks what a shape is about."""
