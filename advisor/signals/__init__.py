"""Parsed samples in, named values out: the catalogue that rule authors see."""
