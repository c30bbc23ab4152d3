"""The contest: memadvisor's advice against what people would use instead, on real kernels under real servers.

`make contest` runs what is missing of the series and draws the table and the picture; `judge` says how runs are
compared.

| module | what it is for |
| --- | --- |
| `workloads` | the loads, and the guests they run on |
| `image` | their disk: servers of Debian, and their data |
| `arms` | who contends, and what each of them sets |
| `advice` | what memadvisor sets: its own role, on a guest under the load |
| `trial` | one run |
| `series` | which runs there are, in which order, and which are done |
| `judge` | medians, intervals, who won |
| `table`, `picture` | what README shows |
"""
