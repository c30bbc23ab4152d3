"""The entries of the catalogue, one module for each part of memory management.

Every module has a tuple ENTRIES. Defaults, bounds and side effects are those of the kernel's sources and
documentation (Documentation/admin-guide/sysctl/vm.rst and its neighbours); policies are our own.
"""
