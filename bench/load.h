/* What the load generators share: a clock, random numbers, requests that arrive on time. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t state = 88172645463325252ull;

static uint64_t any(void) { /* xorshift */
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void until(double moment) {
    double wait = moment - now();
    struct timespec t = {wait, (wait - (long)wait) * 1e9};
    if (wait > 0) nanosleep(&t, NULL);
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}
