"""Does it settle? Advice asked for and followed twenty times over, on one guest that stays busy.

`make stability` runs what is missing of the series, each on one guest that is never started anew, appends one line for
each round to `rounds.jsonl`, and writes the table from that file. A series that was interrupted starts again from its
first round, since its guest is gone, and the lines of the attempt stay. To start anew, move the file away.

Each round: the symptom is measured, by reads of /proc that have nothing to do with the product; then `advisor apply
--yes`, the command that a user types, measures, changes what it advises, measures again, and keeps or undoes. What is
set, and what is in the ledger, stays for the next round. Before the first round the symptom alone is measured.

The guests have one processor and a clock that counts instructions while they work, so that a busy machine moves results
little. The windows of `advisor apply` are shorter than its default of a minute; nothing else of it is changed.

| module | gives |
| --- | --- |
| `loads` | what keeps the guests busy |
| `loop` | the rounds on one guest |
| `judge` | pure: how many changes, whether any was turned back, whether the symptom is worse in the end |
| `series` | pure: which series there are, and which are done |
| `table` | pure: records to Markdown |
"""
