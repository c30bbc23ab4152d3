"""Judge many hosts at once, from what was recorded of them.

A store is a folder of Parquet files, made from captures by `advisor fleet ingest`. All commands work on it, with the
rules and verdicts of `advisor check`. Needs the extra: pip install 'memadvisor[fleet]'.
"""
