"""The dose series: what vm.watermark_scale_factor does to a service, from 10 to 1000, on real kernels.

`make effect` runs what is missing of the series, each trial on a fresh guest, appends one line each to `runs.jsonl`,
and writes the table and the picture from that file. It can be interrupted and goes on where it was. To start anew,
move the file away.

The question: a service answers requests, and each takes a few MB for a moment. Beside it a batch job fills memory
with what nobody looks at again, and the kernel swaps that to zram, compressed by whoever reclaims: reclaim is dear.
At the default marks the requests reclaim themselves. What do they gain by wider marks, and what does it cost?

The guest has one processor, and its clock counts instructions: it does not see how busy the machine is that emulates
it. So latencies are those of a slow machine (500 million instructions a second) with nobody else on it, and comparable
from trial to trial. Waiting for its disk is in real time; the disk is hardly used.

| module | gives |
| --- | --- |
| `load.c` | the service and the batch job |
| `trial` | one guest, one factor, what was measured |
| `advice` | what `advisor plan` says of that load |
| `series` | which trials there are, and the file of records |
| `table`, `picture` | pure: records to Markdown and SVG |
"""
