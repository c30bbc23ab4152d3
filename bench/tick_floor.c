/* What reading the files of a tick costs at least: kept descriptors, pread to the end, nothing else.
 *
 *     cc -O2 -o /tmp/tick_floor bench/tick_floor.c
 *     /tmp/tick_floor 5000 /proc/vmstat /proc/meminfo /proc/pressure/memory /proc/pressure/io /proc/pressure/cpu
 *
 * Prints microseconds of processor time per sample and the bytes of the last one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 20];

static double processor_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static size_t drain(int descriptor)
{
	size_t at = 0;
	ssize_t got;

	while ((got = pread(descriptor, buffer, sizeof(buffer), at)) > 0)
		at += got;
	return at;
}

int main(int argc, char **argv)
{
	long rounds = argc > 2 ? atol(argv[1]) : 0;
	int descriptors[64], files = argc - 2;
	size_t bytes = 0;
	double start;

	if (rounds < 1 || files > 64) {
		fprintf(stderr, "usage: %s ROUNDS FILE...\n", argv[0]);
		return 1;
	}
	for (int i = 0; i < files; i++) {
		descriptors[i] = open(argv[2 + i], O_RDONLY);
		if (descriptors[i] < 0) {
			perror(argv[2 + i]);
			return 1;
		}
		drain(descriptors[i]);
	}
	start = processor_us();
	for (long round = 0; round < rounds; round++) {
		bytes = 0;
		for (int i = 0; i < files; i++)
			bytes += drain(descriptors[i]);
	}
	printf("%.1f us per sample, %zu bytes\n", (processor_us() - start) / rounds, bytes);
	return 0;
}
