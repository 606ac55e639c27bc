// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coverage as a guide, on a kernel with CONFIG_KCOV. A call is a function of the generator's state
 * before it. A state whose call reached code that no call had reached before is kept,
 * and later calls begin from a kept state and leave its course at some draw. Without KCOV
 * all calls are new.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define KCOV_INIT_TRACE _IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_TRACE_PC	0
#define KCOV_ENTRIES	65536ul
#define MAP_BITS	(1u << 20)
#define KEPT		4096

/* Of all processes: what was reached, and the states that reached something. */
static struct {
	uint8_t seen[MAP_BITS / 8];
	uint64_t kept[KEPT];
	uint64_t nr_kept;
} * map;
static __thread uint64_t state_before;

/* Once in the parent, before it forks; then in each thread. */
void kcov_start(struct thread *t)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (!t) {
		map = mmap(NULL, sizeof(*map), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			   -1, 0);
		if (map == MAP_FAILED)
			map = NULL;
		close(fd);
		return;
	}
	/* The fd stays open: the thread's coverage lives as long as it. */
	if (!map || ioctl(fd, KCOV_INIT_TRACE, KCOV_ENTRIES))
		return;
	t->kcov = mmap(NULL, KCOV_ENTRIES * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (t->kcov == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		t->kcov = NULL;
}

void kcov_before(struct thread *t)
{
	uint64_t nr;

	if (!t->kcov)
		return;
	nr = __atomic_load_n(&map->nr_kept, __ATOMIC_RELAXED);
	if (nr && one_in(&t->r, 2)) {
		uint64_t go_on = rnd(&t->r);

		t->r.state = map->kept[go_on % (nr < KEPT ? nr : KEPT)] | 1;
		t->r.draws = 0;
		t->r.until = 1 + (uint32_t)(go_on >> 40) % 24;
	}
	state_before = t->r.state;
	__atomic_store_n(&t->kcov[0], 0, __ATOMIC_RELAXED);
}

void kcov_after(struct thread *t)
{
	uint64_t n, i, fresh = 0;

	if (!t->kcov)
		return;
	n = __atomic_load_n(&t->kcov[0], __ATOMIC_RELAXED);
	for (i = 1; i <= n && i < KCOV_ENTRIES; i++) {
		uint64_t bit = (t->kcov[i] * 0x9e3779b97f4a7c15ull) >> 44;
		uint8_t mask = 1u << (bit & 7);

		if (!(__atomic_fetch_or(&map->seen[bit >> 3], mask, __ATOMIC_RELAXED) & mask))
			fresh++;
	}
	t->r.until = 0;
	if (!fresh)
		return;
	__atomic_fetch_add(&t->w->shared->covered, fresh, __ATOMIC_RELAXED);
	i = __atomic_fetch_add(&map->nr_kept, 1, __ATOMIC_RELAXED);
	map->kept[i % KEPT] = state_before;
}
