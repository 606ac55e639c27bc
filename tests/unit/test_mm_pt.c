/* link: mm/pt.c mm/mdp_compose.c */
/* libs: -lpthread */
// SPDX-License-Identifier: GPL-2.0-only
/* The page-table algorithm, in EPT and in NPT format, over malloc'ed table pages. */
#include "unit.h"

#include <pthread.h>
#include "mm/mdp_compose.h"
#include "mm/pt.h"

static const struct pt_format ept = {
	.levels = 4,
	.max_level = 3,
	.exec_only = true,
	.present = 7,
	.table = 7,
	.read = 1,
	.write = 2,
	.exec = 4,
	.large = 0x80,
	.accessed = 0x100,
	.dirty = 0x200,
	.memtype_wb = 6 << 3,
	.memtype_uc = 0,
	.sw0 = 1ULL << 52,
	.sw1 = 1ULL << 53,
};

static const struct pt_format npt = {
	.levels = 4,
	.max_level = 3,
	.present = 1,
	.table = 7,
	.read = 5,
	.write = 2,
	.nx = 1ULL << 63,
	.large = 0x80,
	.accessed = 0x20,
	.dirty = 0x40,
	.memtype_wb = 0,
	.memtype_uc = 0x18,
	.sw0 = 1ULL << 52,
	.sw1 = 1ULL << 53,
};

/* Five levels, no accessed bits, and an encryption bit in every entry. */
#define C_BIT (1ULL << 51)
static const struct pt_format npt5 = {
	.levels = 5,
	.max_level = 2,
	.present = 1,
	.table = 7 | C_BIT,
	.read = 5,
	.write = 2,
	.nx = 1ULL << 63,
	.large = 0x80,
	.memtype_wb = C_BIT,
	.memtype_uc = 0x18,
	.sw0 = 1ULL << 52,
};

static int pages; /* table pages alive */
static int syncs;

static u64 *page_new(void)
{
	u64 *p = aligned_alloc(4096, 4096);

	memset(p, 0, 4096);
	__atomic_fetch_add(&pages, 1, __ATOMIC_SEQ_CST);
	return p;
}

static void page_free(void *ctx, u64 *p)
{
	__atomic_fetch_sub(&pages, 1, __ATOMIC_SEQ_CST);
	free(p);
}

static void do_sync(void *ctx)
{
	syncs++;
}

static struct pt tree(const struct pt_format *fmt)
{
	struct pt pt = { .fmt = fmt, .free = page_free };

	pages = 0;
	syncs = 0;
	pt.root = page_new();
	return pt;
}

static void fill(struct pt_cache *c, const struct pt *pt)
{
	while (c->n < pt->fmt->levels - 1)
		c->table[c->n++] = page_new();
}

static void drain(struct pt_cache *c)
{
	while (c->n)
		page_free(NULL, c->table[--c->n]);
}

static enum pt_status map(struct pt *pt, u64 addr, const struct pt_leaf *l, bool *flush)
{
	struct pt_cache c = { .n = 0 };
	enum pt_status st;
	bool dummy;

	if (!flush)
		flush = &dummy;
	*flush = false;
	do {
		st = pt_map(pt, &c, addr, l, flush);
		if (st == PT_NEED_TABLES)
			fill(&c, pt);
	} while (st == PT_NEED_TABLES);
	drain(&c);
	return st;
}

static u64 get(struct pt *pt, u64 addr, u8 *level)
{
	return *pt_lookup(pt, addr, level);
}

static void zap(struct pt *pt, u64 start, u64 end)
{
	struct pt_gather g;

	pt_gather_init(&g, NULL, do_sync);
	pt_zap(pt, start, end, &g);
	pt_gather_finish(&g);
}

static void end(struct pt *pt)
{
	pt_destroy(pt);
	assert_int_equal(pages, 0);
}

#define RWX(pa, lvl)                                                                   \
	{                                                                              \
		.hpa = (pa), .level = (lvl), .read = true, .write = true, .exec = true \
	}
#define RX(pa, lvl)                                                     \
	{                                                               \
		.hpa = (pa), .level = (lvl), .read = true, .exec = true \
	}

static void map_and_look(const struct pt_format *fmt, u64 tables, u64 leaf4k)
{
	struct pt pt = tree(fmt);
	struct pt_leaf l = RWX(0x123456000, 1);
	struct pt_leaf big = RWX(0x40000000, 2);
	u8 level;
	u64 e;

	assert_int_equal(map(&pt, 0x7000, &l, NULL), PT_MAPPED);
	assert_int_equal(map(&pt, 0x7000, &l, NULL), PT_SPURIOUS);
	e = get(&pt, 0x7abc, &level);
	assert_int_equal(level, 1);
	assert_int_equal(pt_entry_hpa(fmt, e), 0x123456000);
	assert_int_equal(e, 0x123456000 | leaf4k);
	assert_int_equal(pt.root[0] & (0xfff | C_BIT), tables);

	e = get(&pt, 0x8000, &level);
	assert_false(pt_present(fmt, e));
	assert_int_equal(level, 1);

	assert_int_equal(map(&pt, 0x40000000, &big, NULL), PT_MAPPED);
	e = get(&pt, 0x401ff000, &level);
	assert_int_equal(level, 2);
	assert_int_equal(pt_entry_hpa(fmt, e), 0x40000000);
	assert_true(e & fmt->large);
	end(&pt);
}

static void test_formats(void **state)
{
	map_and_look(&ept, 7, 7 | 0x30 | 0x300);
	map_and_look(&npt, 7, 7 | 0x60);
	map_and_look(&npt5, 7 | C_BIT, 7 | C_BIT);
}

static void test_leaf_bits(void **state)
{
	struct pt pt = tree(&ept);
	struct pt_leaf xonly = { .hpa = 0x1000, .level = 1, .exec = true };
	struct pt_leaf uc = { .hpa = 0x2000, .level = 1, .read = true, .uc = true };
	u8 level;

	map(&pt, 0x1000, &xonly, NULL);
	assert_int_equal(get(&pt, 0x1000, &level) & 7, 4);
	map(&pt, 0x2000, &uc, NULL);
	assert_int_equal(get(&pt, 0x2000, &level), 0x2000 | 1 | 0x100);
	end(&pt);

	pt = tree(&npt);
	uc.exec = false;
	map(&pt, 0x2000, &uc, NULL);
	assert_int_equal(get(&pt, 0x2000, &level), 0x2000 | 5 | 0x18 | 0x20 | 1ULL << 63);
	end(&pt);
}

/* Rights are only added: two faults that race may not take from each other. */
static void test_merge(void **state)
{
	struct pt pt = tree(&npt);
	struct pt_leaf w = { .hpa = 0x5000, .level = 1, .read = true, .write = true };
	struct pt_leaf x = { .hpa = 0x5000, .level = 1, .read = true, .exec = true };
	bool flush;
	u8 level;

	map(&pt, 0, &w, NULL);
	assert_true(get(&pt, 0, &level) & npt.nx);
	assert_int_equal(map(&pt, 0, &x, &flush), PT_MAPPED);
	assert_false(flush);
	assert_true(get(&pt, 0, &level) & npt.write);
	assert_false(get(&pt, 0, &level) & npt.nx);
	assert_int_equal(map(&pt, 0, &w, &flush), PT_SPURIOUS);

	/* Another frame, or another memory type, replaces it and must be flushed. */
	x.hpa = 0x6000;
	assert_int_equal(map(&pt, 0, &x, &flush), PT_MAPPED);
	assert_true(flush);
	assert_false(get(&pt, 0, &level) & npt.write);
	x.uc = true;
	assert_int_equal(map(&pt, 0, &x, &flush), PT_MAPPED);
	assert_true(flush);
	end(&pt);
}

static void test_split(void **state)
{
	struct pt pt = tree(&ept);
	struct pt_leaf big = RX(0x80000000, 3);
	struct pt_leaf w = RWX(0x80000000 + 0x234000, 1);
	bool flush;
	u8 level;

	assert_int_equal(map(&pt, 0x40000000, &big, NULL), PT_MAPPED);
	assert_int_equal(map(&pt, 0x40000000 + 0x234000, &w, &flush), PT_MAPPED);
	assert_true(flush);
	assert_int_equal(get(&pt, 0x40000000 + 0x234000, &level) & 7, 7);
	assert_int_equal(level, 1);
	/* Neighbours map what they did, with the rights they had. */
	assert_int_equal(get(&pt, 0x40000000 + 0x235000, &level), 0x80235000 | 5 | 0x130);
	assert_int_equal(level, 1);
	assert_int_equal(get(&pt, 0x40000000 + 0x400000, &level), 0x80400000 | 5 | 0x80 | 0x130);
	assert_int_equal(level, 2);
	end(&pt);
}

/* A large leaf that already serves the fault stays large. */
static void test_no_split(void **state)
{
	struct pt pt = tree(&ept);
	struct pt_leaf big = RWX(0x80000000, 2);
	struct pt_leaf small = RX(0x80003000, 1);
	u8 level;

	map(&pt, 0, &big, NULL);
	small.host_write = true;
	assert_int_equal(map(&pt, 0x3000, &small, NULL), PT_SPURIOUS);
	get(&pt, 0x3000, &level);
	assert_int_equal(level, 2);
	end(&pt);
}

/* A different frame under a large leaf replaces the large leaf altogether. */
static void test_large_replaced(void **state)
{
	struct pt pt = tree(&ept);
	struct pt_leaf big = RWX(0x80000000, 2);
	struct pt_leaf other = RWX(0x90003000, 1);
	bool flush;
	u8 level;

	map(&pt, 0, &big, NULL);
	assert_int_equal(map(&pt, 0x3000, &other, &flush), PT_MAPPED);
	assert_true(flush);
	assert_int_equal(pt_entry_hpa(&ept, get(&pt, 0x3000, &level)), 0x90003000);
	assert_false(pt_present(&ept, get(&pt, 0x4000, &level)));
	end(&pt);
}

/* A table stands where a large leaf is wanted: the right part goes in below. */
static void test_large_over_table(void **state)
{
	struct pt pt = tree(&ept);
	struct pt_leaf small = RWX(0x80003000, 1);
	struct pt_leaf big = RWX(0x80000000, 2);
	u64 counts[4] = { 0 };
	u8 level;

	map(&pt, 0x3000, &small, NULL);
	assert_int_equal(map(&pt, 0x5000, &big, NULL), PT_MAPPED);
	assert_int_equal(pt_entry_hpa(&ept, get(&pt, 0x5000, &level)), 0x80005000);
	assert_int_equal(level, 1);
	pt_count(&pt, counts);
	assert_int_equal(counts[1], 2);
	assert_int_equal(counts[2], 0);
	end(&pt);
}

static void test_zap(void **state)
{
	struct pt pt = tree(&ept);
	struct pt_leaf l = RWX(0x10000000, 1);
	u64 addr, counts[4] = { 0 };
	u8 level;
	int before;

	for (addr = 0; addr < 0x600000; addr += 4096) {
		l.hpa = 0x10000000 + addr;
		map(&pt, addr, &l, NULL);
	}
	before = pages;
	zap(&pt, 0x1ff000, 0x401000);
	/* The 2M in the middle went as one table. */
	assert_int_equal(pages, before - 1);
	assert_int_equal(syncs, 1);
	pt_count(&pt, counts);
	assert_int_equal(counts[1], 1536 - 514);
	assert_true(pt_present(&ept, get(&pt, 0x1fe000, &level)));
	assert_false(pt_present(&ept, get(&pt, 0x1ff000, &level)));
	assert_false(pt_present(&ept, get(&pt, 0x400000, &level)));
	assert_true(pt_present(&ept, get(&pt, 0x401000, &level)));

	/* Nothing there: no flush. */
	zap(&pt, 0x200000, 0x400000);
	assert_int_equal(syncs, 1);
	zap(&pt, 0, ~0ULL);
	assert_int_equal(pages, 1);
	assert_int_equal(syncs, 2);
	end(&pt);
}

/* Part of a large leaf, and more cut-off tables than the gather holds. */
static void test_zap_large_and_many(void **state)
{
	struct pt pt = tree(&npt5);
	struct pt_leaf big = RWX(0x80000000, 2);
	struct pt_leaf l = RWX(0x10000000, 1);
	u64 i;
	u8 level;

	map(&pt, 0, &big, NULL);
	zap(&pt, 0x5000, 0x6000);
	assert_false(pt_present(&npt5, get(&pt, 0, &level)));
	for (i = 0; i < 100; i++)
		map(&pt, i << 39, &l, NULL);
	zap(&pt, 0, 100ULL << 39);
	assert_int_equal(pages, 2);
	assert_true(syncs >= 100 / PT_GATHER);
	end(&pt);
}

static void test_write_protect(void **state)
{
	struct pt pt = tree(&ept);
	struct pt_leaf l = RWX(0x10000000, 1);
	struct pt_leaf big = RWX(0x80000000, 2);
	u8 level;

	l.host_write = true;
	map(&pt, 0x1000, &l, NULL);
	map(&pt, 0x2000, &l, NULL);
	map(&pt, 0x200000, &big, NULL);
	assert_true(pt_write_protect(&pt, 0x1000, 0x2000));
	assert_false(pt_write_protect(&pt, 0x1000, 0x2000));
	assert_false(get(&pt, 0x1000, &level) & ept.write);
	assert_true(get(&pt, 0x2000, &level) & ept.write);
	/* One page of a large leaf protects all of it. */
	assert_true(pt_write_protect(&pt, 0x203000, 0x204000));
	assert_false(get(&pt, 0x200000, &level) & ept.write);

	assert_true(pt_make_writable(&pt, 0x1000));
	assert_true(get(&pt, 0x1000, &level) & ept.write);
	assert_false(pt_make_writable(&pt, 0x200000)); /* large */
	assert_false(pt_make_writable(&pt, 0x3000));   /* not there */
	l.host_write = false;
	l.write = false;
	map(&pt, 0x4000, &l, NULL);
	assert_false(pt_make_writable(&pt, 0x4000)); /* not marked */
	end(&pt);
}

static void test_age(void **state)
{
	struct pt pt = tree(&ept);
	struct pt_leaf l = RWX(0x10000000, 1);

	map(&pt, 0x1000, &l, NULL);
	assert_true(pt_age(&pt, 0x1000, 0x2000, false));
	assert_true(pt_age(&pt, 0x1000, 0x2000, true));
	assert_false(pt_age(&pt, 0x1000, 0x2000, false));
	assert_false(pt_age(&pt, 0x2000, 0x3000, true));
	end(&pt);

	pt = tree(&npt5);
	map(&pt, 0x1000, &l, NULL);
	assert_true(pt_age(&pt, 0x1000, 0x2000, false));
	end(&pt);
}

static void test_ends(void **state)
{
	struct pt pt = tree(&ept);
	struct pt_leaf l = RWX(0x1000, 1);
	u64 last = pt_end(&pt) - 4096;
	u8 level;

	assert_int_equal(pt_end(&pt), 1ULL << 48);
	map(&pt, last, &l, NULL);
	assert_true(pt_present(&ept, get(&pt, last, &level)));
	assert_false(pt_write_protect(&pt, 0, last));
	assert_true(pt_write_protect(&pt, last, ~0ULL));
	zap(&pt, last, ~0ULL);
	assert_int_equal(pages, 4);
	end(&pt);
}

/* Four threads fault the same and neighbouring pages in, at different sizes. */
static struct pt shared;

static void *faulter(void *arg)
{
	u64 seed = 88172645463325252ULL + (uintptr_t)arg;
	int i;

	for (i = 0; i < 20000; i++) {
		u64 r = unit_rand(&seed);
		u64 addr = (r & 0x3ff) << 12;
		struct pt_leaf l = { .read = true };
		bool flush;

		l.level = (r >> 20) % 8 ? 1 : 2;
		l.write = r >> 30 & 1;
		l.exec = r >> 31 & 1;
		l.hpa = (0x100000000 + addr) & ~(pt_level_size(l.level) - 1);
		map(&shared, addr, &l, &flush);
	}
	return NULL;
}

static void test_parallel(void **state)
{
	pthread_t t[4];
	u64 addr;
	int i;

	shared = tree(&ept);
	for (i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, faulter, (void *)(uintptr_t)i);
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (addr = 0; addr < 0x400000; addr += 4096) {
		u8 level;
		u64 e = get(&shared, addr, &level);

		if (pt_present(&ept, e))
			assert_int_equal(pt_entry_hpa(&ept, e) +
						 (addr & (pt_level_size(level) - 1)),
					 0x100000000 + addr);
	}
	end(&shared);
}

/* Composition: every rule, from both sides. */
static struct pt_leaf compose(struct ept12_result *e12, struct host_grant h, u32 access)
{
	struct pt_leaf l;

	mm_compose(e12, &h, access, &l);
	return l;
}

static void test_compose_rights(void **state)
{
	struct ept12_result e = {
		.level = 1, .read = true, .write = true, .exec = true, .dirty = true
	};
	struct host_grant h = { .hpa = 0x5000, .max_level = 1, .write = true };
	struct pt_leaf l;

	l = compose(&e, h, EPT_ACC_READ);
	assert_true(l.read && l.write && l.exec && !l.host_write);
	h.write = false; /* L0 says no */
	assert_false(compose(&e, h, EPT_ACC_READ).write);
	h.write = true;
	e.write = false; /* L1 says no */
	assert_false(compose(&e, h, EPT_ACC_READ).write);
	e.write = true;
	e.dirty = false; /* D must be set first */
	assert_false(compose(&e, h, EPT_ACC_READ).write);
	e.dirty = true;
	e.exec = false;
	assert_false(compose(&e, h, EPT_ACC_READ).exec);
	e.exec = true;
	e.read = false;
	l = compose(&e, h, EPT_ACC_FETCH);
	assert_true(!l.read && l.exec);
	h.uc = true;
	assert_true(compose(&e, h, EPT_ACC_READ).uc);

	l = compose(NULL, h, EPT_ACC_READ);
	assert_true(l.read && l.write && l.exec && l.host_write);
}

static void test_compose_log(void **state)
{
	struct ept12_result e = {
		.level = 2, .read = true, .write = true, .exec = true, .dirty = true
	};
	struct host_grant h = { .hpa = 0x40005000, .max_level = 2, .write = true, .log = true };
	struct pt_leaf l = compose(&e, h, EPT_ACC_READ);

	assert_false(l.write);
	assert_int_equal(l.level, 1);
	assert_int_equal(l.hpa, 0x40005000);
	assert_true(compose(&e, h, EPT_ACC_WRITE).write);
	l = compose(NULL, h, EPT_ACC_READ);
	assert_true(!l.write && l.host_write);
}

static void test_compose_level(void **state)
{
	struct ept12_result e = {
		.level = 3, .read = true, .write = true, .exec = true, .dirty = true
	};
	struct host_grant h = { .hpa = 0x40205000, .max_level = 2, .write = true };
	struct pt_leaf l = compose(&e, h, EPT_ACC_READ);

	assert_int_equal(l.level, 2);
	assert_int_equal(l.hpa, 0x40200000);
	h.max_level = 3;
	assert_int_equal(compose(&e, h, EPT_ACC_READ).level, 3);
	e.level = 1;
	assert_int_equal(compose(&e, h, EPT_ACC_READ).level, 1);
	assert_int_equal(compose(NULL, h, EPT_ACC_READ).level, 3);

	h.nx_large = true;
	e.level = 2;
	l = compose(&e, h, EPT_ACC_READ);
	assert_true(l.level == 2 && !l.exec);
	l = compose(&e, h, EPT_ACC_FETCH);
	assert_true(l.level == 1 && l.exec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_leaf_bits),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_no_split),
		cmocka_unit_test(test_large_replaced),
		cmocka_unit_test(test_large_over_table),
		cmocka_unit_test(test_zap),
		cmocka_unit_test(test_zap_large_and_many),
		cmocka_unit_test(test_write_protect),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_parallel),
		cmocka_unit_test(test_compose_rights),
		cmocka_unit_test(test_compose_log),
		cmocka_unit_test(test_compose_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
