"""Loaded by pytest before it collects anything."""

import contextlib

# The folder ansible/ is a collection root, not a package. Bind the name to ansible-core, where it is
# installed, before a test runner can bind it to our folder.
with contextlib.suppress(ImportError):
    import ansible.release  # noqa: F401
