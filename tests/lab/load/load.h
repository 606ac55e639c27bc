/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A load for a level of the tower that checks everything that it does. One source file per
 * kind of work; load.c starts them and judges.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define KINDS 4
enum kind { HASH, MEMORY, DISK, NET };

/* What one kind of work has done so far. Written by its thread, read by the main thread. */
struct progress {
	_Atomic uint64_t bytes;
	_Atomic uint64_t max_ms; /* longest single step: an I/O, an exchange */
};

struct load {
	const char *name;
	unsigned int seed; /* of this instance's patterns */
	unsigned int seconds;
	int hash;
	unsigned int mem_mib;
	int shared; /* memory: the same contents in every instance, so that KSM can merge */
	const char *disk;
	unsigned int disk_mib;
	const char *net; /* HOST:PORT of a server */
	unsigned int cpu_percent;
	unsigned int pace_ms; /* between two I/Os */
	struct progress did[KINDS];
	_Atomic int stop;
	_Atomic int64_t drift_us; /* of our clock against the server's, largest so far */
};

/* Threads: argument struct load; they return when ->stop is set or die() at the first fault. */
void *hash_thread(void *arg);
void *memory_thread(void *arg);
void *disk_thread(void *arg);
void *net_thread(void *arg);
int net_serve(int port);

/* Threads that see how late each CPU's timer wakes them. */
int monitor_start(void);

uint64_t now_ns(void);
/* Sleep so long that work begun at @began_ns took cpu_percent of the time. */
void rest(const struct load *l, uint64_t began_ns);
void note(struct progress *p, uint64_t bytes, uint64_t started_ns);
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Pseudo-random numbers (xorshift64*), and a pattern that names its place and generation. */
uint64_t next_random(uint64_t *state);
void fill_pattern(uint64_t *to, size_t bytes, uint64_t what);
/* Offset of the first wrong byte group, or -1. */
long check_pattern(const uint64_t *from, size_t bytes, uint64_t what);

#endif /* LOAD_H */
