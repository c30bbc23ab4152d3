"""What can go wrong with test hosts."""

from __future__ import annotations


class HostError(Exception):
    """A guest, or what it is made of, failed; the message says which one and how."""


class MissingToolError(HostError):
    """This machine lacks a program, and we may not install it."""


class UnfitKernelError(HostError):
    """A kernel lacks what a shape is about."""
