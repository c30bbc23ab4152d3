"""The dose series: what vm.watermark_scale_factor does to a service, from 10 to 1000, on real kernels.

`make effect` runs what is missing of the series, each trial on a fresh guest, appends one line each to `runs.jsonl`,
and writes the table and the picture from that file. It can be interrupted and goes on where it was. To start anew,
move the file away.

The question: a service answers requests, and each takes a few MB for a moment. Beside it a batch job fills memory
with what nobody looks at again, and the kernel swaps that to zram, compressed by whoever reclaims: reclaim is dear.
At the default marks the requests reclaim themselves. What do they gain by wider marks, and what does it cost?

The guest has one processor. While it works its clock counts instructions, 500 million a second, and does not see how
busy the machine is that emulates it. While it is idle, or waits for its disk, the clock goes with real time: when QEMU
gets no processor then, a request comes late, and a busy machine still shows in the largest latencies. What is counted
(stalls, pages scanned, memory) hardly depends on it. So run the series on a quiet machine; every record has the load.

| module | gives |
| --- | --- |
| `load.c` | the service and the batch job |
| `trial` | one guest, one factor, what was measured |
| `advice` | what `advisor plan` says of that load |
| `series` | which trials there are, and the file of records |
| `table`, `picture` | pure: records to Markdown and SVG |
"""
