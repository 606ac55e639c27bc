// SPDX-License-Identifier: GPL-2.0-only
/* A disk that must hold what was written: O_DIRECT, blocks in random order, read back later. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

#define BLOCK 32768u

struct disk {
	struct load *l;
	int fd;
	uint64_t *buffer;
	uint32_t *gen; /* 0: never written */
};

static uint64_t contents(const struct disk *d, uint64_t block)
{
	return (uint64_t)d->l->seed << 32 ^ block << 20 ^ d->gen[block];
}

static void write_block(struct disk *d, uint64_t block)
{
	uint64_t began = now_ns();

	d->gen[block]++;
	fill_pattern(d->buffer, BLOCK, contents(d, block));
	if (pwrite(d->fd, d->buffer, BLOCK, (off_t)(block * BLOCK)) != BLOCK)
		die("%s: write of block %llu: %s", d->l->name, (unsigned long long)block,
		    strerror(errno));
	note(&d->l->did[DISK], BLOCK, began);
}

static void read_block(struct disk *d, uint64_t block)
{
	uint64_t began = now_ns();
	long bad;

	if (!d->gen[block])
		return;
	if (pread(d->fd, d->buffer, BLOCK, (off_t)(block * BLOCK)) != BLOCK)
		die("%s: read of block %llu: %s", d->l->name, (unsigned long long)block,
		    strerror(errno));
	note(&d->l->did[DISK], BLOCK, began);
	bad = check_pattern(d->buffer, BLOCK, contents(d, block));
	if (bad >= 0)
		die("%s: block %llu of generation %u is wrong at byte %ld", d->l->name,
		    (unsigned long long)block, d->gen[block], bad);
}

void *disk_thread(void *arg)
{
	struct load *l = arg;
	uint64_t blocks = ((uint64_t)l->disk_mib << 20) / BLOCK, random = l->seed | 1, r, i;
	struct disk d = { .l = l };

	d.fd = open(l->disk, O_RDWR | O_DIRECT);
	d.gen = calloc(blocks, sizeof(*d.gen));
	if (d.fd < 0 || !d.gen || posix_memalign((void **)&d.buffer, 4096, BLOCK))
		die("%s: %s: %s", l->name, l->disk, strerror(errno));
	while (!atomic_load(&l->stop)) {
		r = next_random(&random);
		if (r & 1)
			write_block(&d, (r >> 1) % blocks);
		else
			read_block(&d, (r >> 1) % blocks);
		if (r % 64 == 1 && fdatasync(d.fd))
			die("%s: fdatasync: %s", l->name, strerror(errno));
		usleep(l->pace_ms * 1000);
	}
	for (i = 0; i < blocks; i++)
		read_block(&d, i);
	close(d.fd);
	return NULL;
}
