/* link: mm/walk.c */
// SPDX-License-Identifier: GPL-2.0-only
/* The guest paging walker: every mode, every right and every reserved bit, from both sides. */
#include "unit.h"

#include <linux/errno.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include "mm/mm.h"

static u8 mem[0x10000] __attribute__((aligned(8)));
static int nested_at = -1; /* this read is an EPT violation */
static int reads, races;
static bool read_only;

static int mem_read(void *ctx, u64 gpa, void *e, int len)
{
	if (reads++ == nested_at)
		return 1;
	if (gpa + len > sizeof(mem))
		return -EFAULT;
	assert_int_equal(gpa % len, 0);
	memcpy(e, mem + gpa, len);
	return 0;
}

static int mem_cmpxchg(void *ctx, u64 gpa, u64 old, u64 new, int len)
{
	u64 cur = 0;

	if (read_only)
		return -EFAULT;
	if (races) {
		races--;
		return -EAGAIN;
	}
	memcpy(&cur, mem + gpa, len);
	if (cur != old) /* two levels may share an entry */
		return -EAGAIN;
	memcpy(mem + gpa, &new, len);
	return 0;
}

static struct walk_env env;
static struct walk_result res;

static void put64(u64 at, u64 e)
{
	memcpy(mem + at, &e, 8);
}

static void put32(u64 at, u32 e)
{
	memcpy(mem + at, &e, 4);
}

static u64 get64(u64 at)
{
	u64 e;

	memcpy(&e, mem + at, 8);
	return e;
}

static enum walk_status walk(u64 gva, u32 access)
{
	reads = 0;
	return guest_walk(&env, gva, access, &res);
}

static void base_env(void)
{
	memset(mem, 0, sizeof(mem));
	nested_at = -1;
	races = 0;
	read_only = false;
	env = (struct walk_env){
		.cr0 = X86_CR0_PG | X86_CR0_PE | X86_CR0_WP,
		.cr3 = 0x1000,
		.maxphyaddr = 46,
		.nx = true,
		.gbpages = true,
		.pse36 = true,
		.read = mem_read,
		.cmpxchg = mem_cmpxchg,
	};
}

/* Long mode; GVA has index 1, 2, 3, 4. */
#define GVA ((1ULL << 39) | (2ULL << 30) | (3ULL << 21) | (4ULL << 12) | 0x567)
#define L5  (0x8000 + 0 * 8)
#define L4  (0x1000 + 1 * 8)
#define L3  (0x2000 + 2 * 8)
#define L2  (0x3000 + 3 * 8)
#define L1  (0x4000 + 4 * 8)
#define NX  (1ULL << 63)

static int long_mode(void **state)
{
	base_env();
	env.cr4 = X86_CR4_PAE;
	env.efer = EFER_LME | EFER_LMA | EFER_NX;
	put64(L4, 0x2007);
	put64(L3, 0x3007);
	put64(L2, 0x4007);
	put64(L1, 0x12345007);
	return 0;
}

static void expect_fault(u64 gva, u32 access, u32 code)
{
	assert_int_equal(walk(gva, access), WALK_FAULT);
	assert_int_equal(res.pf_error, code);
}

static void test_no_paging(void **state)
{
	env.cr0 = X86_CR0_PE;
	assert_int_equal(walk(0xffffffff12345678ULL, WALK_WRITE | WALK_USER), WALK_OK);
	assert_int_equal(res.gpa, 0x12345678);
}

static void test_long(void **state)
{
	assert_int_equal(walk(GVA, WALK_WRITE), WALK_OK);
	assert_int_equal(res.gpa, 0x12345567);
	assert_int_equal(res.page_size, 4096);
	assert_true(res.writable && res.user && res.executable);
	put64(L2, 0x40000000 | 0x87);
	assert_int_equal(walk(GVA, 0), WALK_OK);
	assert_int_equal(res.gpa, 0x40004567);
	assert_int_equal(res.page_size, 1 << 21);
	put64(L3, 0x80000000 | 0x87);
	assert_int_equal(walk(GVA, 0), WALK_OK);
	assert_int_equal(res.gpa, 0x80000000 + (GVA & 0x3fffffff));
	assert_int_equal(res.page_size, 1 << 30);

	long_mode(state);
	env.cr4 |= X86_CR4_LA57;
	env.cr3 = 0x8000;
	put64(L5, 0x1007);
	assert_int_equal(walk(GVA, 0), WALK_OK);
	assert_int_equal(res.gpa, 0x12345567);
	assert_int_equal(reads, 5);
}

static void test_not_present(void **state)
{
	static const u64 at[] = { L4, L3, L2, L1 };
	int i;

	for (i = 0; i < 4; i++) {
		long_mode(state);
		put64(at[i], get64(at[i]) & ~1ULL);
		expect_fault(GVA, WALK_WRITE | WALK_USER, 0x6);
		expect_fault(GVA, WALK_FETCH, 0x10);
		put64(at[i], ~1ULL); /* reserved bits do not count when not present */
		expect_fault(GVA, 0, 0);
	}
}

static void test_user_and_write(void **state)
{
	static const u64 at[] = { L4, L3, L2, L1 };
	int i;

	for (i = 0; i < 4; i++) {
		long_mode(state);
		put64(at[i], get64(at[i]) & ~4ULL);
		expect_fault(GVA, WALK_USER, 0x5);
		assert_int_equal(walk(GVA, WALK_WRITE), WALK_OK);

		long_mode(state);
		put64(at[i], get64(at[i]) & ~2ULL);
		expect_fault(GVA, WALK_USER | WALK_WRITE, 0x7);
		expect_fault(GVA, WALK_WRITE, 0x3);
		env.cr0 &= ~(u64)X86_CR0_WP;
		assert_int_equal(walk(GVA, WALK_WRITE), WALK_OK);
		assert_false(res.writable);
		expect_fault(GVA, WALK_USER | WALK_WRITE, 0x7);
	}
}

static void test_nx(void **state)
{
	static const u64 at[] = { L4, L3, L2, L1 };
	int i;

	for (i = 0; i < 4; i++) {
		long_mode(state);
		put64(at[i], get64(at[i]) | NX);
		expect_fault(GVA, WALK_FETCH, 0x11);
		assert_int_equal(walk(GVA, WALK_WRITE), WALK_OK);
		env.efer &= ~(u64)EFER_NX;
		expect_fault(GVA, 0, 0x9); /* the bit is reserved then */
		expect_fault(GVA, WALK_FETCH, 0x9);
	}
}

static void test_smep_smap(void **state)
{
	assert_int_equal(walk(GVA, WALK_FETCH), WALK_OK);
	env.cr4 |= X86_CR4_SMEP;
	expect_fault(GVA, WALK_FETCH, 0x11);
	assert_int_equal(walk(GVA, WALK_FETCH | WALK_USER), WALK_OK);
	assert_int_equal(walk(GVA, 0), WALK_OK);
	env.efer &= ~(u64)EFER_NX;
	expect_fault(GVA, WALK_FETCH, 0x11);

	long_mode(state);
	env.cr4 |= X86_CR4_SMAP;
	expect_fault(GVA, 0, 0x1);
	expect_fault(GVA, WALK_WRITE, 0x3);
	assert_int_equal(walk(GVA, WALK_FETCH), WALK_OK);
	assert_int_equal(walk(GVA, WALK_USER), WALK_OK);
	env.rflags = X86_EFLAGS_AC;
	assert_int_equal(walk(GVA, 0), WALK_OK);
	expect_fault(GVA, WALK_IMPLICIT, 0x1);
	put64(L1, get64(L1) & ~4ULL);
	env.rflags = 0;
	assert_int_equal(walk(GVA, 0), WALK_OK);
}

static void test_pku(void **state)
{
	put64(L1, get64(L1) | 3ULL << 59);
	env.pkru = 1 << 6; /* AD of key 3 */
	assert_int_equal(walk(GVA, WALK_USER), WALK_OK);
	env.cr4 |= X86_CR4_PKE;
	expect_fault(GVA, WALK_USER, 0x25);
	expect_fault(GVA, 0, 0x21);
	assert_int_equal(walk(GVA, WALK_FETCH | WALK_USER), WALK_OK);
	env.pkru = 2 << 6; /* WD */
	assert_int_equal(walk(GVA, WALK_USER), WALK_OK);
	expect_fault(GVA, WALK_USER | WALK_WRITE, 0x27);
	expect_fault(GVA, WALK_WRITE, 0x23);
	env.cr0 &= ~(u64)X86_CR0_WP;
	assert_int_equal(walk(GVA, WALK_WRITE), WALK_OK);
	expect_fault(GVA, WALK_USER | WALK_WRITE, 0x27);
	env.pkru = ~(3u << 6); /* other keys */
	assert_int_equal(walk(GVA, WALK_USER | WALK_WRITE), WALK_OK);
	env.pkru = ~0u; /* supervisor pages have no key */
	put64(L1, get64(L1) & ~4ULL);
	assert_int_equal(walk(GVA, WALK_WRITE), WALK_OK);
}

static void test_reserved_long(void **state)
{
	static const struct {
		u64 at, bad, good;
	} row[] = {
		{ L4, 0x80, 0x100 }, /* PS in a PML4E */
		{ L4, 1ULL << 46, 1ULL << 52 },
		{ L3, 1ULL << 51, 1ULL << 62 },
		{ L2, 1ULL << 46, 1ULL << 58 },
		{ L1, 1ULL << 50, 1ULL << 45 },
		{ L1, 1ULL << 46, 0x80 }, /* PAT */
		{ L2, 0x80 | 1 << 13, 0x80 | 0x40000000 | 1 << 12 },
		{ L3, 0x80 | 1 << 13, 0x80 | 0x40000000 | 1 << 12 },
		{ L3, 0x80 | 1 << 29, 0x80 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		u64 at = row[i].at;
		u64 e;

		long_mode(state);
		e = row[i].bad & 0x80 && at != L4 ? 7 : get64(at);
		put64(at, e | row[i].bad);
		expect_fault(GVA, WALK_USER, 0xd);
		put64(at, e | row[i].good);
		assert_int_equal(walk(GVA, WALK_USER), WALK_OK);
	}
	long_mode(state);
	put64(L3, 0x80000087);
	env.gbpages = false;
	expect_fault(GVA, 0, 0x9);
	long_mode(state);
	env.cr4 |= X86_CR4_LA57;
	env.cr3 = 0x8000;
	put64(L5, 0x1087);
	expect_fault(GVA, 0, 0x9);
}

static void test_ad(void **state)
{
	assert_int_equal(walk(GVA, WALK_NO_AD | WALK_WRITE), WALK_OK);
	assert_int_equal(get64(L1) & 0x60, 0);
	assert_int_equal(walk(GVA, 0), WALK_OK);
	assert_int_equal(get64(L4) & get64(L3) & get64(L2) & get64(L1) & 0x20, 0x20);
	assert_int_equal(get64(L1) & 0x40, 0);
	races = 3;
	assert_int_equal(walk(GVA, WALK_WRITE), WALK_OK);
	assert_int_equal(get64(L1) & 0x40, 0x40);
	assert_int_equal(get64(L2) & 0x40, 0);

	/* A fault sets nothing; a guest that races for ever does not hang us. */
	long_mode(state);
	put64(L1, 0x12345005);
	expect_fault(GVA, WALK_WRITE, 3);
	assert_int_equal(get64(L1), 0x12345005);
	races = 1000;
	assert_int_equal(walk(GVA, 0), WALK_OK);
	races = 0;
	read_only = true;
	assert_int_equal(walk(GVA, 0), WALK_OK);
}

static void test_no_memory(void **state)
{
	put64(L3, 0x7fff0007);
	assert_int_equal(walk(GVA, 0), WALK_NO_MEMORY);
	for (nested_at = 0; nested_at < 2; nested_at++)
		assert_int_equal(walk(GVA, 0), WALK_NESTED_FAULT);
}

/* PAE: index 2, 3, 4. */
#define PGVA ((2ULL << 30) | (3ULL << 21) | (4ULL << 12) | 0x567)
#define P3   (0x1020 + 2 * 8)

static void pae(void)
{
	base_env();
	env.cr3 = 0x1020;
	env.cr4 = X86_CR4_PAE;
	env.efer = EFER_NX;
	put64(P3, 0x3001);
	put64(L2, 0x4007);
	put64(L1, 0x12345007);
}

static void test_pae(void **state)
{
	pae();
	assert_int_equal(walk(PGVA, WALK_USER | WALK_WRITE), WALK_OK);
	assert_int_equal(res.gpa, 0x12345567);
	assert_int_equal(walk(PGVA | 0xffffffffULL << 32, 0), WALK_OK);
	assert_int_equal(get64(P3), 0x3001); /* no accessed flag there */
	put64(L2, 0x40000087);
	assert_int_equal(walk(PGVA, WALK_USER), WALK_OK);
	assert_int_equal(res.gpa, 0x40004567);
	assert_int_equal(res.page_size, 1 << 21);

	pae();
	put64(P3, 0x3021);
	expect_fault(PGVA, 0, 0x9);
	env.pdpte_a = true;
	assert_int_equal(walk(PGVA, 0), WALK_OK);
	put64(P3, 0x3041);
	expect_fault(PGVA, 0, 0x9);

	pae();
	env.use_pdptrs = true;
	put64(P3, 0);
	expect_fault(PGVA, 0, 0);
	env.pdptrs[2] = 0x3001;
	assert_int_equal(walk(PGVA, WALK_WRITE), WALK_OK);
}

static void test_reserved_pae(void **state)
{
	static const struct {
		u64 at, bad, good;
	} row[] = {
		{ P3, 0x2, 0x8 },	   { P3, 0x4, 0x10 },	   { P3, 0x20, 0x200 },
		{ P3, 0x100, 0xe00 },	   { P3, NX, 0 },	   { P3, 1ULL << 46, 0 },
		{ L2, 1ULL << 52, NX },	   { L1, 1ULL << 62, NX }, { L1, 1ULL << 46, 1ULL << 45 },
		{ L2, 0x80 | 1 << 14, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		pae();
		put64(row[i].at, get64(row[i].at) | row[i].bad);
		expect_fault(PGVA, 0, 0x9);
		pae();
		put64(row[i].at, get64(row[i].at) | row[i].good);
		assert_int_equal(walk(PGVA, 0), WALK_OK);
	}
	pae();
	env.efer = 0;
	put64(L1, get64(L1) | NX);
	expect_fault(PGVA, 0, 0x9);
	/* Without NXE a fetch is not told apart. */
	put64(L1, 0);
	expect_fault(PGVA, WALK_FETCH, 0);
}

/* 32-bit: index 5, 6. */
#define GVA32 ((5u << 22) | (6u << 12) | 0x567)
#define D2    (0x1000 + 5 * 4)
#define D1    (0x2000 + 6 * 4)

static void legacy(void)
{
	base_env();
	put32(D2, 0x2007);
	put32(D1, 0x12345007);
}

static void test_32bit(void **state)
{
	legacy();
	assert_int_equal(walk(GVA32, WALK_WRITE | WALK_USER), WALK_OK);
	assert_int_equal(res.gpa, 0x12345567);
	assert_int_equal(get64(D1) & 0x60, 0x60);
	put32(D1, 0x12345005);
	expect_fault(GVA32, WALK_WRITE | WALK_USER, 7);
	expect_fault(GVA32, WALK_WRITE, 3);
	put32(D1, 0x12345003);
	expect_fault(GVA32, WALK_USER, 5);
	put32(D1, 0);
	expect_fault(GVA32, WALK_FETCH, 0);
	env.cr4 = X86_CR4_SMEP;
	expect_fault(GVA32, WALK_FETCH, 0x10);
	put32(D2, 0);
	expect_fault(GVA32, WALK_WRITE, 2);
}

static void test_pse(void **state)
{
	legacy();
	put32(D2, 0x40000087);
	assert_int_equal(walk(GVA32, 0), WALK_NO_MEMORY); /* PSE off: a table */
	env.cr4 = X86_CR4_PSE;
	assert_int_equal(walk(GVA32, 0), WALK_OK);
	assert_int_equal(res.gpa, 0x40006567);
	assert_int_equal(res.page_size, 1 << 22);

	put32(D2, 0x40000087 | 0x5a << 13); /* PSE-36 */
	assert_int_equal(walk(GVA32, 0), WALK_OK);
	assert_int_equal(res.gpa, 0x5a40006567ULL);
	put32(D2, 0x40000087 | 1 << 21);
	expect_fault(GVA32, 0, 0x9);
	env.maxphyaddr = 36; /* bits 21:17 reserved */
	put32(D2, 0x40000087 | 1 << 16);
	assert_int_equal(walk(GVA32, 0), WALK_OK);
	assert_int_equal(res.gpa, 0x840006567ULL);
	put32(D2, 0x40000087 | 1 << 17);
	expect_fault(GVA32, 0, 0x9);
	env.pse36 = false; /* bits 21:13 reserved */
	put32(D2, 0x40000087 | 1 << 13);
	expect_fault(GVA32, 0, 0x9);
	put32(D2, 0x40000087 | 1 << 12); /* PAT */
	assert_int_equal(walk(GVA32, 0), WALK_OK);
	env.maxphyaddr = 32;
	env.pse36 = true;
	put32(D2, 0x40000087 | 1 << 13);
	expect_fault(GVA32, 0, 0x9);
}

/* Anything in the tables: no crash, no more than five reads per try, bounded tries. */
static void test_random(void **state)
{
	u64 seed = 4711;
	int i;

	for (i = 0; i < 100000; i++) {
		u64 r = unit_rand(&seed);
		u64 at;

		base_env();
		for (at = 0x1000; at < 0x9000; at += 0x1000) {
			u64 e = ((unit_rand(&seed) % 8 + 1) << 12) | (r >> 20 & 0x80) | 7;

			put64(at + (unit_rand(&seed) & 3) * 8, e);
			put64(at, e ^ (r & 1 ? 1ULL << unit_rand(&seed) % 64 : 0));
		}
		env.cr4 = (r & 2 ? X86_CR4_PAE : 0) | (r & 4 ? X86_CR4_PSE : 0) |
			  (r & 8 ? X86_CR4_LA57 : 0) | (r & 16 ? X86_CR4_SMAP : 0) |
			  (r & 32 ? X86_CR4_PKE : 0);
		env.efer = (r & 64 ? EFER_LMA : 0) | (r & 128 ? EFER_NX : 0);
		env.maxphyaddr = 32 + (r >> 8) % 21;
		env.pkru = r >> 32;
		if (walk(r >> 16 & 0x3003003, r >> 12 & 0x1f) == WALK_OK)
			assert_true(res.gpa >> 52 == 0);
		assert_in_range(reads, 0, 5 * 8);
	}
}

#define T(x) cmocka_unit_test_setup(x, long_mode)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_no_paging), T(test_long),      T(test_not_present), T(test_user_and_write),
		T(test_nx),	   T(test_smep_smap), T(test_pku),	   T(test_reserved_long),
		T(test_ad),	   T(test_no_memory), T(test_pae),	   T(test_reserved_pae),
		T(test_32bit),	   T(test_pse),	      T(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
