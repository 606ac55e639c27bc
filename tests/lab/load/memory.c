// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that must hold what was written: pages are looked at in random order, and half of
 * those get new contents. With shared=1 the contents come from a few values that all
 * instances have in common, so that KSM merges pages and writes part them again.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "load.h"

#define PAGE	      4096u
#define SHARED_KINDS  4
#define PAGES_AT_ONCE 256

static uint64_t contents(const struct load *l, uint64_t page, uint16_t gen)
{
	if (l->shared)
		return 1 + gen % SHARED_KINDS;
	return (uint64_t)l->seed << 32 ^ page << 16 ^ gen;
}

static void look(struct load *l, uint64_t *mem, uint16_t *gen, uint64_t page)
{
	long bad = check_pattern(mem + page * PAGE / 8, PAGE, contents(l, page, gen[page]));

	if (bad >= 0)
		die("%s: memory page %llu of generation %u is wrong at byte %ld", l->name,
		    (unsigned long long)page, gen[page], bad);
}

void *memory_thread(void *arg)
{
	struct load *l = arg;
	uint64_t pages = (uint64_t)l->mem_mib << 8, random = l->seed | 1, page, r, began;
	uint64_t *mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint16_t *gen = calloc(pages, sizeof(*gen));
	int i;

	if (mem == MAP_FAILED || !gen)
		die("%s: no %u MiB of memory", l->name, l->mem_mib);
	if (l->shared)
		madvise(mem, pages * PAGE, MADV_MERGEABLE);
	began = now_ns();
	for (page = 0; page < pages; page++) {
		fill_pattern(mem + page * PAGE / 8, PAGE, contents(l, page, 0));
		if (page % PAGES_AT_ONCE == 0) {
			rest(l, began);
			began = now_ns();
		}
	}
	while (!atomic_load(&l->stop)) {
		began = now_ns();
		for (i = 0; i < PAGES_AT_ONCE; i++) {
			r = next_random(&random);
			page = (r >> 1) % pages;
			look(l, mem, gen, page);
			if (r & 1)
				fill_pattern(mem + page * PAGE / 8, PAGE,
					     contents(l, page, ++gen[page]));
		}
		note(&l->did[MEMORY], PAGES_AT_ONCE * PAGE, began);
		rest(l, began);
	}
	for (page = 0; page < pages; page++)
		look(l, mem, gen, page);
	return NULL;
}
