"""Loaded by pytest before it collects anything."""

import contextlib
import importlib.util

# The folder ansible/ is a collection root, not a package. Bind the name to ansible-core, where it is
# installed, before a test runner can bind it to our folder.
with contextlib.suppress(ImportError):
    import ansible.release  # noqa: F401

# The doctests of a module need what it imports; the rest of pytest's collection does not touch this one. Spark is too
# large to be in everybody's environment.
collect_ignore = [] if importlib.util.find_spec("pyspark") else ["advisor/fleet/engines/spark.py"]
