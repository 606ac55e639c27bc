// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network: blocks go to a server one level below and come back, each with the server's
 * time. Lost or changed bytes fail; the clocks of the two must advance alike.
 *
 * An exchange is HEAD + BLOCK bytes each way; the head of the answer is the server's clock.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define BLOCK	 16384u
#define HEAD	 8u
#define PATIENCE 60 /* seconds without an answer are a loss */
#define SETTLE	 20 /* exchanges among which the quickest sets the clocks in relation */

static int transfer(int fd, uint8_t *data, size_t size, int sending)
{
	ssize_t n;

	while (size) {
		n = sending ? send(fd, data, size, MSG_NOSIGNAL) : recv(fd, data, size, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static void serve_one(int fd)
{
	uint64_t *data = malloc(HEAD + BLOCK);

	while (data && !transfer(fd, (uint8_t *)data, HEAD + BLOCK, 0)) {
		data[0] = now_ns();
		if (transfer(fd, (uint8_t *)data, HEAD + BLOCK, 1))
			break;
	}
	_exit(0);
}

int net_serve(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int s = socket(AF_INET, SOCK_STREAM, 0), one = 1, fd;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (struct sockaddr *)&at, sizeof(at)) || listen(s, 8))
		die("port %d: %s", port, strerror(errno));
	for (;;) {
		fd = accept(s, NULL, NULL);
		if (fd >= 0 && !fork())
			serve_one(fd);
		if (fd >= 0)
			close(fd);
	}
}

static int connect_to(const struct load *l)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	struct sockaddr_in to = { .sin_family = AF_INET };
	char host[64];
	int port, one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (sscanf(l->net, "%63[^:]:%d", host, &port) != 2 || !inet_aton(host, &to.sin_addr))
		die("'%s' is no HOST:PORT", l->net);
	to.sin_port = htons((uint16_t)port);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("%s: no connection to %s: %s", l->name, l->net, strerror(errno));
	return fd;
}

/* The relation of the two clocks, from an exchange that took [from, to] on ours. */
struct relation {
	unsigned int seen;
	int64_t offset, error;
};

static void compare_clocks(struct load *l, struct relation *r, uint64_t from, uint64_t to,
			   uint64_t theirs)
{
	int64_t offset = (int64_t)(theirs - from / 2 - to / 2), error = (int64_t)(to - from) / 2;
	int64_t drift;

	if (r->seen++ < SETTLE) {
		if (r->seen == 1 || error < r->error) {
			r->offset = offset;
			r->error = error;
		}
		return;
	}
	/* What the times under way cannot explain. */
	drift = llabs(offset - r->offset) - error - r->error;
	if (drift / 1000 > atomic_load(&l->drift_us))
		atomic_store(&l->drift_us, drift / 1000);
}

void *net_thread(void *arg)
{
	struct load *l = arg;
	uint64_t *data = malloc(HEAD + BLOCK), number = (uint64_t)l->seed << 32, began;
	struct relation clocks = { 0 };
	int fd = connect_to(l);
	long bad;

	if (!data)
		die("no memory");
	while (!atomic_load(&l->stop)) {
		fill_pattern(data + 1, BLOCK, ++number);
		began = now_ns();
		if (transfer(fd, (uint8_t *)data, HEAD + BLOCK, 1) ||
		    transfer(fd, (uint8_t *)data, HEAD + BLOCK, 0))
			die("%s: lost the connection: %s", l->name, strerror(errno));
		compare_clocks(l, &clocks, began, now_ns(), data[0]);
		note(&l->did[NET], 2 * BLOCK, began);
		bad = check_pattern(data + 1, BLOCK, number);
		if (bad >= 0)
			die("%s: an exchange came back wrong at byte %ld", l->name, bad);
		usleep(l->pace_ms * 1000);
	}
	close(fd);
	return NULL;
}
