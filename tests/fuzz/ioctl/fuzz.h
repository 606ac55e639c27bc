/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the ioctl fuzzer share.
 *
 * One process of the fuzzer is a struct world: file descriptors of every kind, an arena that VMs get
 * memory slots from, and threads that use all of it without any lock: the races are the point.
 * A world is a function of its seed, up to how its threads meet.
 */
#ifndef FUZZ_IOCTL_H
#define FUZZ_IOCTL_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fd_kind {
	FD_SYSTEM,
	FD_VM,
	FD_VCPU,
	FD_STATS,
	FD_DEVICE,
	FD_EVENT,
	NR_FD_KINDS,
};

#define FDS_PER_KIND 8
#define MAX_THREADS  8
#define MAX_PAYLOADS 32
#define ARENA_SIZE   (24ul << 20)
#define GUEST_MEM    (16ul << 20) /* the part of it that a VM starts with, at guest address 0 */
#define LOAD_AT	     0x7c00ul	  /* where the guest's program goes, as in tests/guests */
#define BUF_SIZE     65536ul	  /* of an argument */

/* xorshift64*; after @until draws it goes another way, for a repetition with a change. */
struct rng {
	uint64_t state;
	uint32_t draws;
	uint32_t until; /* 0: never */
};

static inline uint64_t rnd(struct rng *r)
{
	if (r->until && ++r->draws == r->until)
		r->state ^= 0x9e3779b97f4a7c15ull * r->until;
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1dull;
}

static inline uint32_t below(struct rng *r, uint32_t n)
{
	return (uint32_t)((rnd(r) >> 33) % n);
}

static inline bool one_in(struct rng *r, uint32_t n)
{
	return !below(r, n);
}

static inline void seed_rng(struct rng *r, uint64_t seed)
{
	/* Neighbouring seeds must not begin alike, and 0 is not a state. */
	seed = (seed ^ (seed >> 31)) * 0xbf58476d1ce4e5b9ull;
	*r = (struct rng){ .state = (seed ^ (seed >> 29)) | 1 };
}

/* What all processes count together. */
struct shared {
	uint64_t calls;
	uint64_t worked; /* calls that did not fail */
	uint64_t entries;
	uint64_t covered; /* kcov.c */
};

struct payload {
	uint8_t *data;
	size_t size;
};

struct options {
	const char *device;
	uint64_t seed;
	unsigned int seconds, parallel;
	struct payload payloads[MAX_PAYLOADS];
	unsigned int nr_payloads;
};

struct world {
	const struct options *opt;
	struct shared *shared;
	int fd[NR_FD_KINDS][FDS_PER_KIND]; /* -1 = none; see get_fd(), put_fd() */
	uint8_t *arena;
	int memfd;
	struct kvm_run *run[FDS_PER_KIND]; /* of the vCPU in the same place */
	size_t run_size;
};

/**
 * struct thread - one of a world's threads
 * @buf: where arguments are built; BUF_SIZE bytes, then a page that cannot be touched
 * @kcov: its coverage, or NULL; kcov.c
 */
struct thread {
	struct world *w;
	struct rng r;
	uint8_t *buf;
	uint64_t *kcov;
};

/* world.c */
void world_start(struct world *w, struct rng *r);
int get_fd(struct world *w, struct rng *r, enum fd_kind kind);
void put_fd(struct world *w, struct rng *r, enum fd_kind kind, int fd);
void drop_fd(struct world *w, struct rng *r);
/* Writes to memory that may vanish at any time; a failure does not matter. */
void scribble(void *to, const void *from, size_t n);

/* args.c */
uint64_t odd_number(struct rng *r);
void random_bytes(struct rng *r, void *buf, size_t n);
void mutate(struct rng *r, void *buf, size_t n);
uint32_t odd_msr(struct rng *r);

/* calls.c: one random ioctl */
void one_call(struct thread *t);
void run_vcpu(struct thread *t);

/* memory.c: one random change of the address space or of what the kernel shares with it */
void memory_change(struct thread *t);

/* guest.c: a program of small pieces for 16-bit real mode; returns its length */
size_t guest_program(struct rng *r, uint8_t *at, size_t room);

/* kcov.c */
void kcov_start(struct thread *t);
void kcov_before(struct thread *t);
void kcov_after(struct thread *t);

#endif /* FUZZ_IOCTL_H */
