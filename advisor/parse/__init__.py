"""Parsers of the kernel's text files, one module for each file; pure: text in, a record out.

Every parser keeps these promises, and `tests/test_parse_fuzz.py` holds it to them:

* Values are in base units (bytes, seconds, ratios from 0 to 1, pages, counts) under the kernel's own names.
* What the text does not say is absent or None, never 0. What is malformed is absent, and `problems` says so.
* A last line without its newline was cut off: it is left out. A file of one value may lack the newline.
* The same name twice with different values is a contradiction: the value is absent.
* Text that has nothing of what was expected raises `ParseError`, and nothing else is ever raised. The
  message does not name the file; the caller knows it.

`READS` in each module tells which captured paths it is for: patterns for `parse`, or pattern and function.
"""
