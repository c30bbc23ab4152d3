/* memhog: loads memory in a test guest in one of several ways. Static, no dependencies.
 *
 *   hold MB SECS         touch MB of anonymous memory once and keep it
 *   thrash MB SECS       touch its pages at random until the time is up
 *   frag MB SECS         give every second page back and keep the others
 *   huge MB SECS         again and again take MB as huge pages and give them back
 *   burst MB SECS GAPMS  again and again touch MB within a moment, wait GAPMS, print how long the touching took
 *   reread FILE SECS     read pages of a file at random until the time is up
 *   slab MB SECS         let MB of kernel memory that cannot be reclaimed grow over SECS, and leave it there
 *
 * "ready" is printed when the memory is there.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, MESSAGE = 1900 }; /* a message of this size takes an object of kmalloc-2k */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static uint64_t any(void) { /* xorshift */
    static uint64_t state = 88172645463325252ull;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void ready(void) {
    puts("ready");
    fflush(stdout);
}

/* Anonymous memory, every page with contents of its own so that nothing can merge or drop it. */
static char *take(size_t bytes, int advice) {
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    madvise(memory, bytes, advice);
    for (size_t at = 0; at < bytes; at += PAGE) *(uint64_t *)(memory + at) = any();
    return memory;
}

static void thrash(char *memory, size_t bytes, double end) {
    uint64_t touched = 0;
    for (; now() < end; touched += 64)
        for (int i = 0; i < 64; i++) memory[any() % (bytes / PAGE) * PAGE]++;
    printf("{\"touched\": %lu}\n", touched);
}

static void burst(size_t bytes, double end, int gap_ms) {
    double worst = 0, sum = 0;
    int bursts = 0;
    for (; now() < end; bursts++) {
        double start = now();
        munmap(take(bytes, MADV_NOHUGEPAGE), bytes);
        double took = now() - start;
        sum += took;
        if (took > worst) worst = took;
        usleep(gap_ms * 1000);
    }
    printf("{\"bursts\": %d, \"mean_ms\": %.1f, \"worst_ms\": %.1f}\n", bursts, sum / bursts * 1e3, worst * 1e3);
}

static void reread(const char *name, double end) {
    struct stat about;
    char page[PAGE];
    int file = open(name, O_RDONLY);
    uint64_t reads = 0;
    if (file < 0 || fstat(file, &about)) fail(name);
    posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
    for (; now() < end; reads++)
        if (pread(file, page, PAGE, any() % (about.st_size / PAGE) * PAGE) != PAGE) fail(name);
    printf("{\"reads\": %lu}\n", reads);
}

static void slab(size_t bytes, double seconds) {
    struct {
        long type;
        char text[MESSAGE];
    } message = {.type = 1};
    int queue = msgget(IPC_PRIVATE, 0600);
    size_t count = bytes / 2048, batch = count / (seconds * 20) + 1;
    if (queue < 0) fail("msgget");
    for (size_t sent = 0; sent < count; sent++) {
        if (msgsnd(queue, &message, MESSAGE, IPC_NOWAIT)) fail("msgsnd; raise kernel.msgmnb");
        if (sent % batch == 0) usleep(50000);
    }
}

int main(int count, char **words) {
    if (count < 4) {
        fprintf(stderr, "memhog hold|thrash|frag|huge|slab MB SECS; burst MB SECS GAPMS; reread FILE SECS\n");
        return 2;
    }
    const char *how = words[1];
    size_t bytes = strtoul(words[2], NULL, 10) << 20;
    double seconds = atof(words[3]), end = now() + seconds;
    if (!strcmp(how, "reread")) return reread(words[2], end), 0;
    if (!strcmp(how, "slab")) return slab(bytes, seconds), 0;
    if (!strcmp(how, "burst")) return burst(bytes, end, count > 4 ? atoi(words[4]) : 100), 0;
    if (!strcmp(how, "huge")) {
        while (now() < end) munmap(take(bytes, MADV_HUGEPAGE), bytes);
        return 0;
    }
    char *memory = take(bytes, MADV_NOHUGEPAGE);
    if (!strcmp(how, "frag"))
        for (size_t at = 0; at < bytes; at += 2 * PAGE) madvise(memory + at, PAGE, MADV_DONTNEED);
    ready();
    if (!strcmp(how, "thrash"))
        thrash(memory, bytes, end);
    else
        sleep(seconds);
    return 0;
}
