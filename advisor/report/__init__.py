"""Formats of a report, one module each; they render and never compute."""
