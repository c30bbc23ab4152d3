/* A client of a Redis server, which counts as its users do. Static, no dependencies.
 *
 *   client PORT KEYS BYTES BATCH PERIOD_MS WARM_S SECONDS
 *
 * Every PERIOD_MS it sends BATCH commands in one piece, three reads for each write, for keys at random, and waits for
 * the answers; it prints, for each batch after WARM_S, the milliseconds from its arrival to its end. Arrivals do not
 * wait for answers: what one stall delays counts for every batch that came meanwhile. Keys are named as DEBUG POPULATE
 * names them: key:0, key:1, ...
 */
#include "load.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connected(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (server < 0 || connect(server, (struct sockaddr *)&address, sizeof address)) fail("connect");
    return server;
}

static char *buffer; /* of what has come and was not yet used */
static size_t held, used, room;

static void more(int server) {
    if (used) memmove(buffer, buffer + used, held -= used), used = 0;
    if (held == room && !(buffer = realloc(buffer, room = 2 * room + 65536))) fail("memory");
    ssize_t came = read(server, buffer + held, room - held);
    if (came <= 0) fail("read");
    held += came;
}

/* One answer: "+OK", "$-1", or "$length" and so many bytes. */
static void answer(int server) {
    char *end;
    while (!(end = memmem(buffer + used, held - used, "\r\n", 2))) more(server);
    if (buffer[used] == '-') fprintf(stderr, "%.*s\n", (int)(end - buffer - used), buffer + used), exit(1);
    long body = buffer[used] == '$' ? atol(buffer + used + 1) : -1;
    used = end + 2 - buffer;
    if (body < 0) return;
    while (held - used < (size_t)body + 2) more(server);
    used += body + 2;
}

static void ask(int server, int keys, int bytes, int batch, const char *value) {
    static char *text;
    if (!text && !(text = malloc((size_t)batch * (bytes + 128)))) fail("memory");
    size_t length = 0;
    for (int i = 0; i < batch; i++) {
        char name[32];
        int size = sprintf(name, "key:%d", (int)(any() % keys));
        if (i % 4) {
            length += sprintf(text + length, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", size, name);
        } else {
            length += sprintf(text + length, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n", size, name, bytes);
            memcpy(text + length, value, bytes);
            length += bytes;
            length += sprintf(text + length, "\r\n");
        }
    }
    for (size_t sent = 0; sent < length;) {
        ssize_t went = write(server, text + sent, length - sent);
        if (went <= 0) fail("write");
        sent += went;
    }
    for (int i = 0; i < batch; i++) answer(server);
}

int main(int count, char **words) {
    if (count != 8) return fputs("client PORT KEYS BYTES BATCH PERIOD_MS WARM_S SECONDS\n", stderr), 2;
    int server = connected(atoi(words[1])), keys = atoi(words[2]), bytes = atoi(words[3]), batch = atoi(words[4]);
    double period = atof(words[5]) / 1e3;
    int warm = atof(words[6]) / period, all = warm + atof(words[7]) / period;
    char *value = malloc(bytes);
    double *took = calloc(all, sizeof *took);
    if (!value || !took) fail("memory");
    for (int i = 0; i < bytes; i++) value[i] = 'a' + any() % 26;
    double start = now();
    for (int i = 0; i < all; i++) {
        double arrival = start + i * period;
        until(arrival);
        ask(server, keys, bytes, batch, value);
        took[i] = now() - arrival;
    }
    for (int i = warm; i < all; i++) printf("%.2f\n", took[i] * 1e3);
    return 0;
}
