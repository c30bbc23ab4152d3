"""Reports as kernels from 2.6.18 to 7.x print them, with numbers that agree with each other."""

# ruff: noqa: E501, W291

OOM_2_6_18 = """\
httpd invoked oom-killer: gfp_mask=0x201d2, order=0, oomkilladj=0

Call Trace:
 [<ffffffff800c9d3a>] out_of_memory+0x8e/0x2f3
 [<ffffffff8000f53f>] __alloc_pages+0x27f/0x308

Mem-info:
Node 0 DMA per-cpu:
cpu 0 hot: high 0, batch 1 used:0
cpu 0 cold: high 0, batch 1 used:0
Free pages:       13592kB (0kB HighMem)
Active:244912 inactive:1201 dirty:0 writeback:0 unstable:0 free:3398 slab:5211 mapped-file:977 mapped-anon:244203 pagetables:3017
Node 0 DMA free:8600kB min:28kB low:32kB high:40kB active:0kB inactive:0kB present:10712kB pages_scanned:0 all_unreclaimable? yes
lowmem_reserve[]: 0 994 994 994
Node 0 DMA32 free:4992kB min:2876kB low:3592kB high:4312kB active:979648kB inactive:4804kB present:1018060kB pages_scanned:1507122 all_unreclaimable? yes
lowmem_reserve[]: 0 0 0 0
Node 0 DMA: 2*4kB 4*8kB 3*16kB 2*32kB 2*64kB 1*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 2*4096kB = 8600kB
Node 0 DMA32: 0*4kB 0*8kB 8*16kB 1*32kB 1*64kB 1*128kB 0*256kB 1*512kB 0*1024kB 0*2048kB 1*4096kB = 4960kB
Swap cache: add 1244011, delete 1244011, find 311920/421077, race 0+12
Free swap  = 0kB
Total swap = 2096472kB
Free swap:            0kB
262144 pages of RAM
5033 reserved pages
Out of memory: Killed process 4312 (httpd).
"""

OOM_2_6_32_SYSLOG = """\
Nov 22 06:26:05 web1 kernel: sshd invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=-17, oom_score_adj=-1000
Nov 22 06:26:05 web1 kernel: sshd cpuset=/ mems_allowed=0
Nov 22 06:26:05 web1 kernel: Pid: 1743, comm: sshd Tainted: G           --------------- H  2.6.32-279.9.1.el6.x86_64 #1
Nov 22 06:26:05 web1 kernel: Call Trace:
Nov 22 06:26:05 web1 kernel: [<ffffffff811173e0>] ? dump_header+0x90/0x1b0
Nov 22 06:26:05 web1 kernel: Mem-Info:
Nov 22 06:26:05 web1 kernel: Node 0 DMA per-cpu:
Nov 22 06:26:05 web1 kernel: CPU    0: hi:    0, btch:   1 usd:   0
Nov 22 06:26:05 web1 kernel: active_anon:371020 inactive_anon:92911 isolated_anon:0
Nov 22 06:26:05 web1 kernel: active_file:310 inactive_file:520 isolated_file:64
Nov 22 06:26:05 web1 kernel: unevictable:0 dirty:0 writeback:11 unstable:0
Nov 22 06:26:05 web1 kernel: free:13211 slab_reclaimable:2010 slab_unreclaimable:6040
Nov 22 06:26:05 web1 kernel: mapped:180 shmem:61 pagetables:4410 bounce:0
Nov 22 06:26:05 web1 kernel: Node 0 DMA32 free:52844kB min:44720kB low:55900kB high:67080kB active_anon:1484080kB inactive_anon:371644kB active_file:1240kB inactive_file:2080kB unevictable:0kB isolated(anon):0kB isolated(file):256kB present:2052256kB mlocked:0kB dirty:0kB writeback:44kB mapped:720kB shmem:244kB slab_reclaimable:8040kB slab_unreclaimable:24160kB kernel_stack:1880kB pagetables:17640kB unstable:0kB bounce:0kB writeback_tmp:0kB pages_scanned:9210 all_unreclaimable? no
Nov 22 06:26:05 web1 kernel: lowmem_reserve[]: 0 0 0 0
Nov 22 06:26:05 web1 kernel: 9012 total pagecache pages
Nov 22 06:26:05 web1 kernel: 8114 pages in swap cache
Nov 22 06:26:05 web1 kernel: Swap cache stats: add 721101, delete 712987, find 88011/131207
Nov 22 06:26:05 web1 kernel: Free swap  = 0kB
Nov 22 06:26:05 web1 kernel: Total swap = 2064376kB
Nov 22 06:26:05 web1 kernel: 524271 pages RAM
Nov 22 06:26:05 web1 kernel: 44210 pages reserved
Nov 22 06:26:05 web1 kernel: [ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name
Nov 22 06:26:05 web1 kernel: [ 6793]    48  6793   512011   401200   0       0             0 httpd
Nov 22 06:26:05 web1 kernel: Out of memory: Kill process 6793 (httpd) score 712 or sacrifice child
Nov 22 06:26:05 web1 kernel: Killed process 6793, UID 48, (httpd) total-vm:2048044kB, anon-rss:1604512kB, file-rss:288kB
"""

MEMCG_OOM_3_10 = """\
[86400.100001] memhog invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0
[86400.100005] memhog cpuset=/ mems_allowed=0
[86400.100009] CPU: 1 PID: 42421 Comm: memhog Tainted: P           OE  ------------   3.10.0-327.13.1.el7.x86_64 #1
[86400.100012] Call Trace:
[86400.100040] Task in /slurm/job_7/step 0 killed as a result of limit of /slurm/job_7
[86400.100044] memory: usage 524288kB, limit 524288kB, failcnt 1211
[86400.100046] memory+swap: usage 524288kB, limit 9007199254740988kB, failcnt 0
[86400.100050] Memory cgroup stats for /slurm/job_7: cache:0KB rss:524288KB rss_huge:0KB mapped_file:0KB swap:0KB inactive_anon:0KB active_anon:524280KB inactive_file:0KB active_file:0KB unevictable:0KB
[86400.100060] [ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name
[86400.100063] [42421]  1000 42421   141824   131070     300        0             0 memhog
[86400.100070] Memory cgroup out of memory: Kill process 42421 (memhog) score 1000 or sacrifice child
[86400.100074] Killed process 42421 (memhog) total-vm:567296kB, anon-rss:523904kB, file-rss:376kB
"""

ALLOC_3_18_ARM = """\
[  969.610000] systemd-cgroups: page allocation failure: order:1, mode:0x20
[  969.610000] CPU: 0 PID: 1450 Comm: systemd-cgroups Tainted: G         C      3.18.7+ #755
[  969.610000] [<c000f780>] (unwind_backtrace) from [<c000d20c>] (show_stack+0x10/0x14)
[  969.610000] Mem-info:
[  969.610000] Normal per-cpu:
[  969.610000] CPU    0: hi:   90, btch:  15 usd:  38
[  969.610000] active_anon:438 inactive_anon:30 isolated_anon:0
[  969.610000]  active_file:1295 inactive_file:1934 isolated_file:0
[  969.610000]  unevictable:405 dirty:0 writeback:0 unstable:0
[  969.610000]  free:477 slab_reclaimable:305 slab_unreclaimable:635
[  969.610000]  mapped:472 shmem:32 pagetables:78 bounce:0
[  969.610000] Normal free:1908kB min:1908kB low:2384kB high:2860kB active_anon:1752kB inactive_anon:120kB active_file:5180kB inactive_file:7736kB unevictable:1620kB isolated(anon):0kB isolated(file):0kB present:57344kB managed:54620kB mlocked:1620kB dirty:0kB writeback:0kB mapped:1888kB shmem:128kB slab_reclaimable:1220kB slab_unreclaimable:2540kB kernel_stack:432kB pagetables:312kB unstable:0kB bounce:0kB free_cma:0kB writeback_tmp:0kB pages_scanned:0 all_unreclaimable? no
[  969.610000] lowmem_reserve[]: 0 0
[  969.610000] Normal: 477*4kB (UEMR) 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB = 1908kB
"""

ALLOC_4_4 = """\
[ 77.000001] swapper/21: page allocation failure: order:0, mode:0x2080020
[ 77.000002] CPU: 21 PID: 0 Comm: swapper/21 Not tainted 4.4.0-21-generic #37-Ubuntu
[ 77.000003] Mem-Info:
[ 77.000004] Node 1 Normal free:44120kB min:45056kB low:56320kB high:67584kB active_anon:1200kB inactive_anon:80kB active_file:23000kB inactive_file:41000kB unevictable:0kB isolated(anon):0kB isolated(file):0kB present:33554432kB managed:33013248kB mlocked:0kB dirty:12kB writeback:0kB mapped:800kB shmem:40kB slab_reclaimable:900kB slab_unreclaimable:2000kB kernel_stack:64kB pagetables:128kB unstable:0kB bounce:0kB free_pcp:360kB local_pcp:0kB free_cma:0kB writeback_tmp:0kB pages_scanned:0 all_unreclaimable? no
[ 77.000005] lowmem_reserve[]: 0 0 0 0
"""

# Pieces that a logger stored one by one, wrapped by a mail program.
ALLOC_4_9_IN_PIECES = """\
Feb 19 16:20:13 pool25 kernel: java: page allocation failure: order:0, mode:0x2080020(GFP_ATOMIC)
Feb 19 16:20:13 pool25 kernel: CPU: 4 PID: 2311 Comm: java Not tainted 4.9.0-5-amd64 #1 Debian 4.9.65-3+deb9u2
Feb 19 16:20:13 pool25 kernel: Mem-Info:
Feb 19 16:20:13 pool25 kernel: active_anon:1644062 inactive_anon:210965 isolated_anon:0
                                active_file:13120448 inactive_file:659604 isolated_file:0
                                unevictable:0 dirty:610211 writeback:49207 unstable:0
                                slab_reclaimable:258983 slab_unreclaimable:18646
                                mapped:21011 shmem:9120 pagetables:8479 bounce:0
                                free:9978 free_pcp:1496 free_cma:0
Feb 19 16:20:13 pool25 kernel: Node 0 active_anon:6576248kB inactive_anon:843860kB active_file:52481792kB inactive_file:2638416kB unevictable:0kB isolated(anon):0kB isolated(file):0kB mapped:84044kB dirty:2440844kB writeback:196828kB shmem:36480kB writeback_tmp:0kB unstable:0kB pages_scanned:0 all_unreclaimable? no
Feb 19 16:20:13 pool25 kernel: Node 0 
Feb 19 16:20:13 pool25 kernel: DMA free:15764kB min:16kB low:28kB high:40kB active_anon:0kB inactive_anon:0kB active_file:0kB
inactive_file:0kB unevictable:0kB writepending:0kB present:15996kB managed:15912kB mlocked:0kB slab_reclaimable:0kB
slab_unreclaimable:0kB kernel_stack:0kB pagetables:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB
Feb 19 16:20:13 pool25 kernel: lowmem_reserve[]:
Feb 19 16:20:13 pool25 kernel:  0
Feb 19 16:20:13 pool25 kernel:  62446
Feb 19 16:20:13 pool25 kernel:  62446
Feb 19 16:20:13 pool25 kernel: Node 0 
Feb 19 16:20:13 pool25 kernel: Normal free:24148kB min:65640kB low:129584kB high:193528kB
active_anon:6576248kB inactive_anon:843860kB active_file:52481792kB inactive_file:2638416kB unevictable:0kB
writepending:2637672kB present:65011712kB managed:63949432kB mlocked:0kB slab_reclaimable:1035932kB
slab_unreclaimable:74584kB kernel_stack:22912kB pagetables:33916kB bounce:0kB free_pcp:5984kB local_pcp:460kB
free_cma:0kB
Feb 19 16:20:13 pool25 kernel: lowmem_reserve[]:
Feb 19 16:20:13 pool25 kernel:  0
Feb 19 16:20:13 pool25 kernel:  0
Feb 19 16:20:13 pool25 kernel:  0
Feb 19 16:20:13 pool25 kernel: Node 0 
Feb 19 16:20:13 pool25 kernel: DMA: 
Feb 19 16:20:13 pool25 kernel: 1*4kB 
Feb 19 16:20:13 pool25 kernel: (U) 
Feb 19 16:20:13 pool25 kernel: 0*8kB 
Feb 19 16:20:13 pool25 kernel: 1*16kB 
Feb 19 16:20:13 pool25 kernel: (U) 
Feb 19 16:20:13 pool25 kernel: 1*32kB 
Feb 19 16:20:13 pool25 kernel: = 52kB
Feb 19 16:20:13 pool25 kernel: Node 0 
Feb 19 16:20:13 pool25 kernel: Normal: 
Feb 19 16:20:13 pool25 kernel: 6037*4kB 
Feb 19 16:20:13 pool25 kernel: (UME) 
Feb 19 16:20:13 pool25 kernel: 0*8kB 
Feb 19 16:20:13 pool25 kernel: = 24148kB
Feb 19 16:20:13 pool25 kernel: 13815011 total pagecache pages
"""

STALL_4_9 = """\
Apr 30 07:12:11.435319 sonic WARNING kernel: [  429.852782] buffermgrd: page allocation stalls for 10908ms, order:0, mode:0x24201ca(GFP_HIGHUSER_MOVABLE|__GFP_COLD)
Apr 30 07:12:11.435330 sonic WARNING kernel: [  429.852794] CPU: 1 PID: 10760 Comm: buffermgrd Tainted: G           O    4.9.0-8-2-amd64 #1 Debian 4.9.110-3+deb9u6
Apr 30 07:12:11.435333 sonic WARNING kernel: [  429.852796] Mem-Info:
Apr 30 07:12:11.435335 sonic WARNING kernel: [  429.852798] Node 0 DMA32 free:8000kB min:8200kB low:10250kB high:12300kB active_anon:4kB inactive_anon:4kB active_file:4kB inactive_file:4kB unevictable:0kB writepending:0kB present:2080640kB managed:2015104kB mlocked:0kB slab_reclaimable:4kB slab_unreclaimable:4kB kernel_stack:0kB pagetables:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB
"""

OOM_4_15 = """\
Jul 16 11:53:24 node7 kernel: [1310061.327439] CPU 0/KVM invoked oom-killer: gfp_mask=0x15000c0(GFP_KERNEL_ACCOUNT), nodemask=(null), order=0, oom_score_adj=0
Jul 16 11:53:25 node7 kernel: [1310061.327442] CPU 0/KVM cpuset=vcpu0 mems_allowed=0-1
Jul 16 11:53:25 node7 kernel: [1310061.327447] CPU: 44 PID: 24430 Comm: CPU 0/KVM Not tainted 4.15.0-108-generic #109-Ubuntu
Jul 16 11:53:25 node7 kernel: [1310061.327449] Mem-Info:
Jul 16 11:53:25 node7 kernel: [1310061.327451] Node 0 Normal free:90112kB min:90112kB low:112640kB high:135168kB active_anon:120000000kB inactive_anon:400kB active_file:40kB inactive_file:16kB unevictable:0kB writepending:0kB present:132120576kB managed:130023424kB mlocked:0kB kernel_stack:9000kB pagetables:260000kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB
Jul 16 11:53:25 node7 kernel: [1310061.327460] Out of memory: Kill process 31337 (qemu-system-x86) score 411 or sacrifice child
Jul 16 11:53:25 node7 kernel: [1310061.327470] Killed process 31337 (qemu-system-x86) total-vm:70254592kB, anon-rss:67108864kB, file-rss:4096kB, shmem-rss:4kB
Jul 16 11:53:27 node7 kernel: [1310063.100000] oom_reaper: reaped process 31337 (qemu-system-x86), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
"""

MEMCG_OOM_5_4 = """\
[101236.553584] java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=999
[101236.649900] CPU: 0 PID: 5641 Comm: java Kdump: loaded Not tainted 5.4.17-2136.307.3.4.el8uek.x86_64 #2
[101236.651576] Call Trace:
[101236.751757]  dump_stack+0x6d/0x8b
[101236.752512]  dump_header+0x4f/0x1e1
[101236.848687] memory: usage 1048576kB, limit 1048576kB, failcnt 402
[101236.852238] Tasks state (memory values in pages):
[101236.948560] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[101236.950962] [   5641]  1000  5641  1626026   260000        2314816        0           999 java
[101236.952591] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=pod7,mems_allowed=0-1,oom_memcg=/kubepods/pod7,task_memcg=/kubepods/pod7/c1,task=java,pid=5641,uid=1000
[101236.953354] Memory cgroup out of memory: Killed process 5641 (java) total-vm:6504104kB, anon-rss:1036288kB, file-rss:3712kB, shmem-rss:0kB, UID:1000 pgtables:2260kB oom_score_adj:999
[101236.953360] Tasks in /kubepods/pod7 are going to be killed due to memory.oom.group set
[101236.953370] Memory cgroup out of memory: Killed process 5642 (sh) total-vm:4104kB, anon-rss:128kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:40kB oom_score_adj:999
"""

OOM_6_1 = """\
[  492.650001] stress invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0
[  492.650012] CPU: 2 PID: 26428 Comm: stress Not tainted 6.1.0-18-arm64 #1  Debian 6.1.76-1
[  492.650020] Mem-Info:
[  492.650031] active_anon:242 inactive_anon:8070 isolated_anon:0
                active_file:25414 inactive_file:6774 isolated_file:192
                unevictable:3569 dirty:17048 writeback:2622
                slab_reclaimable:4011 slab_unreclaimable:7077
                mapped:8581 shmem:2559 pagetables:442
                sec_pagetables:0 bounce:0
                kernel_misc_reclaimable:0
                free:129778 free_pcp:59 free_cma:128398
[  492.656714] Node 0 active_anon:968kB inactive_anon:32280kB active_file:101656kB inactive_file:27096kB unevictable:14276kB isolated(anon):0kB isolated(file):768kB mapped:34324kB dirty:68192kB writeback:10488kB shmem:10236kB writeback_tmp:0kB kernel_stack:1488kB pagetables:1768kB sec_pagetables:0kB all_unreclaimable? no
[  492.659081] Node 0 DMA free:519112kB boost:7216kB min:10428kB low:11228kB high:12028kB reserved_highatomic:0KB active_anon:0kB inactive_anon:0kB active_file:77632kB inactive_file:168kB unevictable:0kB writepending:78556kB present:786432kB managed:663836kB mlocked:0kB bounce:0kB free_pcp:236kB local_pcp:232kB free_cma:513592kB
[  492.661151] lowmem_reserve[]: 0 0 3188 3188
[  492.662208] Node 0 DMA: 142*4kB (UEC) 161*8kB (UEC) 59*16kB (UEC) 51*32kB (UEC) 18*64kB (UEC) 2*128kB (UC) 1*256kB (C) 0*512kB 1*1024kB (C) 0*2048kB 125*4096kB (C) = 519120kB
[  492.663300] Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB
[  492.663352] 36861 total pagecache pages
[  492.664507] 0 pages in swap cache
[  492.665835] Free swap  = 785668kB
[  492.666982] Total swap = 785668kB
[  492.668136] 1012736 pages RAM
[  492.669366] 816128 pages HighMem/MovableOnly
[  492.670505] 30649 pages reserved
[  492.671656] 131072 pages cma reserved
[  492.673008] Tasks state (memory values in pages):
[  492.674226] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[  492.690000] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/user.slice/user-1000.slice,task=stress,pid=26428,uid=1000
[  492.690010] Out of memory: Killed process 26428 (stress) total-vm:1052676kB, anon-rss:28160kB, file-rss:384kB, shmem-rss:0kB, UID:1000 pgtables:104kB oom_score_adj:0
"""

ALLOC_6_12 = """\
[ 4021.117203] kworker/u16:3: page allocation failure: order:4, mode:0x40dc0(GFP_KERNEL|__GFP_ZERO|__GFP_COMP), nodemask=(null),cpuset=/,mems_allowed=0-1,3
[ 4021.117215] CPU: 3 UID: 0 PID: 4711 Comm: kworker/u16:3 Tainted: G        W          6.12.9-amd64 #1  Debian 6.12.9-1
[ 4021.117219] Tainted: [W]=WARN
[ 4021.117222] Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.3-debian-1.16.3-2 04/01/2014
[ 4021.117231] Call Trace:
[ 4021.117234]  <TASK>
[ 4021.117239]  dump_stack_lvl+0x5d/0x80
[ 4021.117241] eth0: link becomes ready
[ 4021.117290]  </TASK>
[ 4021.117293] Mem-Info:
[ 4021.117301] active_anon:1204 inactive_anon:301822 isolated_anon:0
[ 4021.117301]  active_file:40211 inactive_file:83004 isolated_file:32
[ 4021.117301]  unevictable:0 dirty:512 writeback:0
[ 4021.117301]  slab_reclaimable:9204 slab_unreclaimable:14407
[ 4021.117301]  mapped:22110 shmem:1602 pagetables:3311
[ 4021.117301]  sec_pagetables:0 bounce:0
[ 4021.117301]  kernel_misc_reclaimable:0
[ 4021.117301]  free:25127 free_pcp:61 free_cma:0
[ 4021.117318] Node 0 active_anon:4816kB inactive_anon:1207288kB active_file:160844kB inactive_file:332016kB unevictable:0kB isolated(anon):0kB isolated(file):128kB mapped:88440kB dirty:2048kB writeback:0kB shmem:6408kB shmem_thp:0kB shmem_pmdmapped:0kB anon_thp:622592kB writeback_tmp:0kB kernel_stack:5200kB pagetables:13244kB sec_pagetables:0kB all_unreclaimable? no
[ 4021.117326] Node 0 DMA free:7960kB boost:0kB min:352kB low:440kB high:528kB reserved_highatomic:0KB active_anon:0kB inactive_anon:7168kB active_file:0kB inactive_file:0kB unevictable:0kB writepending:0kB present:15992kB managed:15360kB mlocked:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB
[ 4021.117335] lowmem_reserve[]: 0 1911 1911 1911 1911
[ 4021.117343] Node 0 DMA32 free:92548kB boost:24576kB min:69276kB low:80448kB high:91620kB reserved_highatomic:4096KB active_anon:4816kB inactive_anon:1200120kB active_file:160844kB inactive_file:332016kB unevictable:0kB writepending:2048kB present:2080640kB managed:1983968kB mlocked:0kB bounce:0kB free_pcp:244kB local_pcp:0kB free_cma:0kB
[ 4021.117352] lowmem_reserve[]: 0 0 0 0 0
[ 4021.117358] Node 0 DMA: 0*4kB 1*8kB (M) 1*16kB (M) 0*32kB 0*64kB 0*128kB 1*256kB (M) 1*512kB (M) 1*1024kB (M) 1*2048kB (M) 1*4096kB (M) = 7960kB
[ 4021.117378] Node 0 DMA32: 7421*4kB (UMEH) 5107*8kB (UMEH) 1378*16kB (UMEH) 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB = 92588kB
[ 4021.117396] Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB
[ 4021.117398] 124831 total pagecache pages
[ 4021.117400] 2 pages in swap cache
[ 4021.117402] Free swap  = 1048316kB
[ 4021.117404] Total swap = 1048572kB
[ 4021.117406] 524158 pages RAM
[ 4021.117408] 0 pages HighMem/MovableOnly
[ 4021.117410] 24326 pages reserved
[ 4021.117412] 0 pages hwpoisoned
"""

# Two processors report at the same time; every line names its caller.
ALLOC_7_TWO_CALLERS = """\
[   88.000001][   C1] swapper/1: page allocation failure: order:0, mode:0x820(GFP_ATOMIC), nodemask=(null),cpuset=/,mems_allowed=0
[   88.000002][ T2041] tar: page allocation failure: order:2, mode:0x44cc0(GFP_KERNEL|__GFP_RETRY_MAYFAIL|__GFP_COMP), nodemask=(null),cpuset=/,mems_allowed=0
[   88.000003][   C1] CPU: 1 UID: 0 PID: 0 Comm: swapper/1 Not tainted 7.3.0 #1 PREEMPT(lazy)
[   88.000004][ T2041] CPU: 0 UID: 0 PID: 2041 Comm: tar Not tainted 7.3.0 #1 PREEMPT(lazy)
[   88.000005][   C1] Mem-Info:
[   88.000006][ T2041] Mem-Info:
[   88.000007][   C1] Node 0 Normal free:1000kB boost:0kB min:2000kB low:2500kB high:3000kB reserved_highatomic:2048KB free_highatomic:512KB active_anon:4kB inactive_anon:8kB active_file:12kB inactive_file:16kB unevictable:0kB writepending:0kB zspages:0kB present:2097152kB managed:2031616kB mlocked:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB
[   88.000008][ T2041] Node 0 Normal free:1004kB boost:0kB min:2000kB low:2500kB high:3000kB reserved_highatomic:2048KB free_highatomic:512KB active_anon:4kB inactive_anon:8kB active_file:12kB inactive_file:16kB unevictable:0kB writepending:0kB zspages:0kB present:2097152kB managed:2031616kB mlocked:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB
[   88.000009][   C1] lowmem_reserve[]: 0 0 0 0 0
[   88.000010][ T2041] lowmem_reserve[]: 0 0 0 0 0
[   98.000001][   C1] warn_alloc: 3567869 callbacks suppressed
"""

MESSAGES = """\
[    3.100000] khugepaged: min_free_kbytes is not updated to 11265 because user defined value 131072 is preferred
[    3.200000] raising min_free_kbytes from 4096 to 22528 to help transparent hugepage allocations
[   24.544104] vmap allocation for size 3866624 failed: use vmalloc=<size> to increase size.
[   24.544124] vmalloc: allocation failure: 3760332 bytes
[   24.544127] modprobe: page allocation failure: order:0, mode:0x24000c0
[  100.000000] vmdebug: vmalloc error: size 8192, failed to allocate pages, mode:0xcc2(GFP_KERNEL|__GFP_HIGHMEM), nodemask=(null),cpuset=/,mems_allowed=0
[  120.000000] SLUB: Unable to allocate memory on node -1, gfp=0x900(GFP_NOWAIT|__GFP_ZERO)
[  121.000000] SLUB: Unable to allocate memory on CPU 3 (of node 1) on node 1, gfp=0x820(GFP_ATOMIC)
[  122.000000] SLUB: Unable to allocate memory on node 0 (gfp=0x20)
[  130.000000] mmap: java (4711): VmData 8589934592 exceed data ulimit 1073741824. Update limits or use boot option ignore_rlimit_data.
[  242.000000] INFO: task jbd2/sda1-8:312 blocked for more than 120 seconds.
[  250.000000] MemAlloc-Info: stalling=12 dying=1 exiting=0 victim=1 oom_count=5
[  251.000000] net_ratelimit: 650 callbacks suppressed
[  252.000000] oom_kill_process: 7 callbacks suppressed
[  253.000000] Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled
"""
