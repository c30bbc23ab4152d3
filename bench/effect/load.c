/* The load of the dose series. Static, no dependencies.
 *
 *   grow MB MB_PER_S SECS                              take MB, then so many more each second; keep them, and
 *                                                      never look at them again
 *   serve FILE WARM_S SECS PERIOD_MS BURST_KB PAGES SEED
 *       answer requests that arrive every PERIOD_MS: take BURST_KB, read PAGES pages of the file at random, give the
 *       burst back; print, for each request after WARM_S, the milliseconds from its arrival to its end
 *
 * Arrivals do not wait for answers: what one stall delays counts for every request that came meanwhile.
 */
#include "load.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096, STEP = 256 << 10 }; /* the batch job asks for memory in steps of 256 KiB */

/* Small pages, each with contents of its own. */
static char *take(size_t bytes) {
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < bytes; at += PAGE) *(uint64_t *)(memory + at) = any();
    return memory;
}

static void grow(size_t bytes, double bytes_per_s, double seconds) {
    take(bytes);
    puts("ready");
    fflush(stdout);
    double start = now();
    for (long i = 0; now() < start + seconds; i++) {
        until(start + i * STEP / bytes_per_s);
        take(STEP);
    }
    pause(); /* to end would give it all back */
}

static void serve(const char *name, int warm, int count, double period, size_t burst, int pages) {
    struct stat about;
    int file = open(name, O_RDONLY);
    if (file < 0 || fstat(file, &about)) fail(name);
    volatile char *data = mmap(NULL, about.st_size, PROT_READ, MAP_SHARED, file, 0);
    if (data == MAP_FAILED) fail(name);
    madvise((void *)data, about.st_size, MADV_RANDOM);
    double *took = calloc(count, sizeof *took);
    double start = now() + any() % 1000 / 1e3 * period;
    for (int i = 0; i < count; i++) {
        double arrival = start + i * period;
        until(arrival);
        char *memory = take(burst);
        for (int page = 0; page < pages; page++) (void)data[any() % (about.st_size / PAGE) * PAGE];
        munmap(memory, burst);
        took[i] = now() - arrival;
    }
    for (int i = warm; i < count; i++) printf("%.1f\n", took[i] * 1e3);
}

int main(int count, char **words) {
    if (count == 5 && !strcmp(words[1], "grow")) {
        grow(strtoul(words[2], NULL, 10) << 20, atof(words[3]) * (1 << 20), atof(words[4]));
    } else if (count == 9 && !strcmp(words[1], "serve")) {
        double period = atof(words[5]) / 1e3;
        int warm = atof(words[3]) / period;
        for (long skip = 1000 * atol(words[8]); skip > 0; skip--) any();
        serve(words[2], warm, warm + atof(words[4]) / period, period, strtoul(words[6], NULL, 10) << 10, atoi(words[7]));
    } else {
        fprintf(stderr, "grow MB MB_PER_S SECS; serve FILE WARM_S SECS PERIOD_MS BURST_KB PAGES SEED\n");
        return 2;
    }
    return 0;
}
