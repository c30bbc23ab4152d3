"""Many hosts at once: their captures as tables of signals, judged by the same rules as one host.

===========  ======================================================================================
`columns`    which columns the tables have: the signals, with their units, and a few keys (pure)
`flatten`    a capture becomes rows (pure)
`parts`      rows become Parquet files
`store`      the folder of these files: its manifest, what it refuses, how it grows
`sources`    finds captures in what the user names
`ingest`     many sources into a store, in parallel
`queries`    rules become SQL over these tables (pure)
`evaluate`   asks an engine: DuckDB, Spark, PostgreSQL, or the row evaluator
`rows`       whole rows of chosen captures
`stored`     a host of a store, as findings and plans ask it (pure)
`survey`     judges all hosts by rules or a policy, with findings and plans of those that need them
`classes`    hosts that are alike, what to set there, who stands out (pure; `robust` has the statistics)
`last`       the outcome of the run before
`merge`      several stores into one
`coverage`   which rules the records of a fleet, or of a collector, decide (pure; `exporters` knows the collectors)
===========  ======================================================================================
"""
