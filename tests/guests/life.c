// SPDX-License-Identifier: GPL-2.0-only
/*
 * A quiet life: the host does to this VM what it likes (moves it between CPUs, stops it, swaps
 * it out, sleeps), and none of it may show. Lasts as many seconds of PIT ticks as the
 * latch at port 0xf0 says (runner -p), else one.
 */
#include "lib.h"

#define HZ	 100
#define DIVISOR	 (1193182 / HZ)
#define VEC_PIT	 0x20
#define MEM	 ((u64 *)0x1000000ul)
#define PAGES	 8192ul /* 32 MiB */
#define PER_TICK 64

static volatile u64 ticks;

static void on_pit(struct trap_frame *f)
{
	(void)f;
	ticks++;
	outb(0x20, 0x20);
}

static u64 word(u64 page, u64 gen, u64 i)
{
	return (page << 32 | gen << 16) + i * 0x9e3779b97f4a7c15ul;
}

static void write_page(u64 page, u64 gen)
{
	u64 *p = MEM + page * 512, i;

	p[0] = gen;
	for (i = 1; i < 512; i++)
		p[i] = word(page, gen, i);
}

static int page_is_right(u64 page)
{
	u64 *p = MEM + page * 512, i;

	for (i = 1; i < 512; i++)
		if (p[i] != word(page, p[0], i))
			return 0;
	return 1;
}

/* Walk on through memory: check, and leave a new generation behind. */
static int some_memory(u64 *page)
{
	int i;

	for (i = 0; i < PER_TICK; i++) {
		if (!page_is_right(*page))
			return 0;
		write_page(*page, MEM[*page * 512] + 1);
		*page = (*page + 1) % PAGES;
	}
	return 1;
}

static void set_xmm(u64 v)
{
	asm volatile("movq %0, %%xmm15" : : "r"(v));
}

static u64 get_xmm(void)
{
	u64 v;

	asm volatile("movq %%xmm15, %0" : "=r"(v));
	return v;
}

int main(void)
{
	u64 end = inl(0xf0) * HZ, page, before, now, tsc_back = 0, xmm_lost = 0, mem_wrong = 0;

	if (!end)
		end = HZ;
	for (page = 0; page < PAGES; page++)
		write_page(page, 1);
	handlers[VEC_PIT] = on_pit;
	xapic_write(0xf0, 0x1ff);
	start_pit(VEC_PIT, DIVISOR);
	set_xmm(0x1234567890abcdef);
	page = 0;
	before = rdtsc();
	while (ticks < end && !mem_wrong) {
		asm volatile("sti; hlt; cli" : : : "memory");
		now = rdtsc();
		tsc_back += now < before;
		before = now;
		xmm_lost += get_xmm() != 0x1234567890abcdef;
		mem_wrong += !some_memory(&page);
	}
	outb(0x21, 0xff);
	check_eq("memory keeps what was written", mem_wrong, 0);
	check_eq("the TSC never goes back", tsc_back, 0);
	check_eq("XMM registers keep their values", xmm_lost, 0);
	return fails();
}
