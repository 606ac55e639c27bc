// SPDX-License-Identifier: GPL-2.0-only
/*
 * ledger DISK [REPORTS]: work of which every byte is known, for tests that stop, save, move and
 * restore a machine while it goes on.
 *
 * Each CPU has a thread with pages of memory and blocks of DISK of its own. A step takes one of
 * them at random, checks every word of it against its number and how often it was written, and
 * writes it anew. Whatever is lost, comes back from another time or lands elsewhere is found.
 * The clock may neither go backwards, seen from any CPU, nor jump.
 *
 * Ten times a second it prints "@@L<LEVEL> ledger=<n> steps=<steps> ms=<CLOCK_MONOTONIC>.", n going
 * up by one; at the first wrong byte or time "@@L<LEVEL> ledger_bad=<what>", and exits with 1. After
 * REPORTS of them, if given, it exits with 0.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE	   4096
#define WORDS	   (PAGE / 8)
#define PAGES	   2048 /* per thread: 8 MiB of memory */
#define BLOCKS	   512	/* per thread: 2 MiB of disk */
#define DISK_EVERY 64	/* memory steps per disk step */
#define REPORT_MS  100
#define JUMP_MS	   10000 /* more than a loaded host keeps a CPU waiting */

struct worker {
	pthread_t thread;
	int cpu;
	uint64_t random;
	unsigned char *pages;	    /* PAGES of them */
	uint32_t page_age[PAGES];   /* how often each was written */
	uint32_t block_age[BLOCKS]; /* the same of the disk's */
	unsigned char *buffer;	    /* one block, aligned for O_DIRECT */
};

static int disk_fd;
static const char *level;
static uint64_t steps, last_ns;

static void bad(const char *what, int cpu, uint64_t where, uint64_t got, uint64_t want)
{
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&once);
	printf("@@L%s ledger_bad=%s cpu=%d at=%llu got=%llx want=%llx\n", level, what, cpu,
	       (unsigned long long)where, (unsigned long long)got, (unsigned long long)want);
	fflush(stdout);
	_exit(1);
}

/* Marsaglia's xorshift64*. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* What is known of @page: a function of whose it is, which one, and how old. */
static uint64_t seed(int cpu, int disk, uint32_t number, uint32_t age)
{
	return ((uint64_t)age << 32 | (uint64_t)number << 8 | (uint64_t)cpu << 1 | disk) *
		       0x9e3779b97f4a7c15ull |
	       1;
}

static void fill(void *page, uint64_t state)
{
	uint64_t *p = page;
	int i;

	for (i = 0; i < WORDS; i++)
		p[i] = next_random(&state);
}

static void check(const char *what, const void *page, uint64_t state, int cpu, uint32_t number)
{
	const uint64_t *p = page;
	int i;

	for (i = 0; i < WORDS; i++) {
		uint64_t want = next_random(&state);

		if (p[i] != want)
			bad(what, cpu, (uint64_t)number * PAGE + i * 8, p[i], want);
	}
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Later than whatever any CPU has read before, and not by much. */
static void check_clock(int cpu)
{
	uint64_t before = __atomic_load_n(&last_ns, __ATOMIC_SEQ_CST), now = now_ns();

	if (now < before)
		bad("clock-backwards", cpu, 0, now, before);
	if (before && now - before > JUMP_MS * 1000000ull)
		bad("clock-jump", cpu, 0, now, before);
	while (before < now && !__atomic_compare_exchange_n(&last_ns, &before, now, 0,
							    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void memory_step(struct worker *w)
{
	uint32_t n = next_random(&w->random) % PAGES;
	unsigned char *page = w->pages + (size_t)n * PAGE;

	check("memory", page, seed(w->cpu, 0, n, w->page_age[n]), w->cpu, n);
	fill(page, seed(w->cpu, 0, n, ++w->page_age[n]));
}

static void write_block(struct worker *w, uint32_t n)
{
	off_t at = ((off_t)w->cpu * BLOCKS + n) * PAGE;

	fill(w->buffer, seed(w->cpu, 1, n, ++w->block_age[n]));
	if (pwrite(disk_fd, w->buffer, PAGE, at) != PAGE)
		bad("disk-write", w->cpu, (uint64_t)at, (uint64_t)errno, 0);
}

static void disk_step(struct worker *w)
{
	uint32_t n = next_random(&w->random) % BLOCKS;
	off_t at = ((off_t)w->cpu * BLOCKS + n) * PAGE;

	if (w->block_age[n]) {
		if (pread(disk_fd, w->buffer, PAGE, at) != PAGE)
			bad("disk-read", w->cpu, (uint64_t)at, (uint64_t)errno, 0);
		check("disk", w->buffer, seed(w->cpu, 1, n, w->block_age[n]), w->cpu, n);
	}
	write_block(w, n);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		bad("affinity", w->cpu, 0, (uint64_t)errno, 0);
	for (;;) {
		for (i = 0; i < DISK_EVERY; i++) {
			memory_step(w);
			check_clock(w->cpu);
			__atomic_add_fetch(&steps, 1, __ATOMIC_RELAXED);
		}
		disk_step(w);
	}
	return NULL;
}

static int start(struct worker *w, int cpu)
{
	uint32_t n;

	w->cpu = cpu;
	w->random = 0x1234567 + (uint64_t)cpu;
	w->pages = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->pages == MAP_FAILED || posix_memalign((void **)&w->buffer, PAGE, PAGE))
		return -1;
	for (n = 0; n < PAGES; n++)
		fill(w->pages + (size_t)n * PAGE, seed(cpu, 0, n, 0));
	return pthread_create(&w->thread, NULL, work, w);
}

int main(int argc, char **argv)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), i;
	unsigned long n, reports = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	const struct timespec pause = { .tv_nsec = REPORT_MS * 1000000 };
	struct worker *w = calloc((size_t)cpus, sizeof(*w));

	level = getenv("LEVEL") ?: "0";
	disk_fd = argc > 1 ? open(argv[1], O_RDWR | O_DIRECT) : -1;
	if (disk_fd < 0 || !w) {
		perror(argc > 1 ? argv[1] : "ledger DISK [REPORTS]");
		return 2;
	}
	for (i = 0; i < cpus; i++) {
		if (start(&w[i], i)) {
			perror("ledger");
			return 2;
		}
	}
	for (n = 1; !reports || n <= reports; n++) {
		nanosleep(&pause, NULL);
		check_clock(-1);
		printf("@@L%s ledger=%lu steps=%llu ms=%llu.\n", level, n,
		       (unsigned long long)__atomic_load_n(&steps, __ATOMIC_RELAXED),
		       (unsigned long long)(now_ns() / 1000000));
		fflush(stdout);
	}
	_exit(0);
}
