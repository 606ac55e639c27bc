/* link: mm/pt.c mm/ept12.c mm/mdp_compose.c */
// SPDX-License-Identifier: GPL-2.0-only
/*
 * Multi-dimensional paging against a model: L1 edits its EPT and executes INVEPT, the host
 * takes pages away, the log protects them, vCPUs fault; and all of it also in the middle of
 * a fault and of an INVEPT. After each step, what the composed trees say must be allowed.
 */
#include "unit.h"

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <asm/page.h>
#include "hw/hw.h"

/* The parts of vcpu/vcpu.h that mm/ looks at. */
#define TURTLES_VCPU_VCPU_H
#include <linux/srcu.h>

enum vcpu_req { REQ_TLB_FLUSH, REQ_MMU_RELOAD };

struct vm {
	struct srcu_struct srcu;
	struct vm_mm *mm;
};

struct mdp_root;
struct vcpu {
	struct vm *vm;
	struct mdp_root *mdp_root;
	u64 root_hpa;
};

static int tables; /* pages alive */

static unsigned long new_page(void)
{
	void *p = aligned_alloc(4096, 4096);

	memset(p, 0, 4096);
	tables++;
	return (unsigned long)p;
}

static void free_page(unsigned long p)
{
	if (p)
		tables--;
	free((void *)p);
}

#define get_zeroed_page(gfp) new_page()
#define __get_free_page(gfp) new_page()

static void vm_request_all(struct vm *vm, enum vcpu_req req);
static void vcpu_request(struct vcpu *v, enum vcpu_req req);
static int vcpu_maxphyaddr(struct vcpu *v)
{
	return 40;
}

#include "mm/mdp_snap.c"
#undef page_free
#include "mm/mdp_index.c"
#include "mm/mdp_root.c"
#include "mm/mdp.c"
#include "mm/install.c"

static struct hw_ops ops = { .pt = {
				     .levels = 4,
				     .max_level = 2,
				     .exec_only = true,
				     .present = 7,
				     .table = 7,
				     .read = 1,
				     .write = 2,
				     .exec = 4,
				     .large = 0x80,
				     .accessed = 0x100,
				     .dirty = 0x200,
				     .memtype_wb = 0x30,
				     .sw0 = 1ULL << 52,
			     } };
struct hw_ops *hw = &ops;

/*
 * L1's memory: the first TABLE_PAGES frames exist as bytes and hold EPT12; FRAMES frames
 * can be mapped. The host keeps frame f at hpa_of[f]; where large_ok[f >> 9], 2M at a time.
 */
#define TABLE_PAGES 64
#define FRAMES	    4096
static u64 l1[TABLE_PAGES * 512];
static u64 hpa_of[FRAMES];
static bool writable[FRAMES];
static bool logged;
static u64 next_hpa;

static struct vm vm;
static struct vm_mm mm;
static struct vcpu vcpu[2];
static u64 seed;
static int depth; /* of things that happen inside other things */
static int flushes, reloads;
static int edits;	 /* of EPT12 so far */
static bool coherent[3]; /* INVEPT of this context has ended, and no edit since */

static u64 rnd(u64 n)
{
	return unit_rand(&seed) % n;
}

static void vm_request_all(struct vm *v, enum vcpu_req req)
{
	if (req == REQ_TLB_FLUSH)
		flushes++;
	else
		reloads++;
}

static void vcpu_request(struct vcpu *v, enum vcpu_req req)
{
	reloads++;
}

u64 *mm_table_alloc(struct vm_mm *m)
{
	atomic_long_add(4096, &m->bytes);
	return (u64 *)new_page();
}

void mm_table_free(void *m, u64 *t)
{
	atomic_long_sub(4096, &((struct vm_mm *)m)->bytes);
	free_page((unsigned long)t);
}

bool pt_cache_fill(struct vm_mm *m, struct pt_cache *c, u8 levels)
{
	while (c->n < levels - 1)
		c->table[c->n++] = mm_table_alloc(m);
	return true;
}

void pt_cache_drain(struct vm_mm *m, struct pt_cache *c)
{
	while (c->n)
		mm_table_free(m, c->table[--c->n]);
}

static void sync_all(void *m)
{
	vm_request_all(&vm, REQ_TLB_FLUSH);
}

void mm_gather_init(struct vm_mm *m, struct pt_gather *g)
{
	pt_gather_init(g, m, sync_all);
}

static void meanwhile(void);

int vm_read_guest(struct vm *v, u64 gpa, void *buf, size_t len)
{
	if (len == 4096)
		meanwhile();
	if (gpa + len > sizeof(l1))
		return -EFAULT;
	memcpy(buf, (char *)l1 + gpa, len);
	return 0;
}

int vm_cmpxchg_guest(struct vm *v, u64 gpa, u64 *old, u64 new, int len)
{
	if (l1[gpa / 8] != *old)
		return 1;
	l1[gpa / 8] = new;
	return 0;
}

enum mm_fault_result gfn_page_get(struct vm *v, unsigned int as, u64 gfn, u32 access,
				  struct gfn_page *p)
{
	if (gfn >= FRAMES)
		return MM_MMIO;
	p->gfn = gfn;
	p->hva = gfn << 12;
	p->seq = mm.inv_seq;
	p->pfn = hpa_of[gfn] >> 12;
	p->write = writable[gfn];
	if ((access & EPT_ACC_WRITE) && !p->write)
		return MM_READONLY;
	meanwhile();
	return MM_MAPPED;
}

void gfn_page_put(struct gfn_page *p)
{
}

static bool host_large(u64 gfn)
{
	u64 i, base = gfn & ~511ULL;

	for (i = 0; i < 512; i++)
		if (hpa_of[base + i] != (hpa_of[base] & ~0x1fffffULL) + i * 4096 ||
		    writable[base + i] != writable[base])
			return false;
	return true;
}

void gfn_page_grant(struct vm_mm *m, const struct gfn_page *p, struct host_grant *g)
{
	if (!mm.lock.held) /* after the record, before the installation */
		meanwhile();
	*g = (struct host_grant){ .hpa = p->pfn << 12, .write = p->write, .log = logged };
	g->max_level = host_large(p->gfn) ? 2 : 1;
}

void gfn_page_commit(struct gfn_page *p, bool write)
{
}

/* --- the model's actions --- */

#define EPTP(i) ((u64)(i) << 12 | 0x5e) /* A/D on, tables at page i */

static u64 l2_address(void)
{
	return rnd(2) << 30 | rnd(3) << 21 | rnd(6) << 12;
}

/* L1 writes one entry of its tables: pages 1-2 level 4, then 2 each of level 3, 2, 1. */
static void l1_edit(void)
{
	unsigned int level = 1 + rnd(4);
	unsigned int page = 1 + (4 - level) * 2 + rnd(2);
	unsigned int index = level == 4 ? 0 : level == 3 ? rnd(2) : level == 2 ? rnd(3) : rnd(6);
	static const u8 rights[] = { 7, 7, 7, 5, 3, 1, 4, 0 };
	u64 e = rights[rnd(8)];

	if (level > 1 && !(level == 2 && rnd(3) == 0))
		e |= (u64)(1 + (5 - level) * 2 + rnd(2)) << 12;
	else if (level == 2)
		e |= rnd(FRAMES / 512) << 21 | 0xb0;
	else
		e |= rnd(FRAMES) << 12 | 0x30;
	if (rnd(8) == 0) /* as L1 ages pages */
		e = l1[page * 512 + index] & ~0x300ULL;
	l1[page * 512 + index] = e;
	edits++;
	coherent[1] = coherent[2] = false;
}

static void l1_invept(struct vcpu *v, bool single, unsigned int context)
{
	int before = edits;

	mdp_invept(v, single, EPTP(context));
	if (edits != before)
		return;
	coherent[context] = true;
	if (!single)
		coherent[1] = coherent[2] = true;
}

static void host_takes(void)
{
	static const u64 size[] = { 1, 2, 3, 8, 512, 512, 2048 };
	u64 first = rnd(FRAMES), n = size[rnd(ARRAY_SIZE(size))], i;
	bool write = rnd(4);
	struct pt_gather g;

	if (n >= 512)
		first &= ~511ULL;
	n = min(n, FRAMES - first);
	mm_gather_init(&mm, &g);
	write_lock(&mm.lock);
	mm.inv_count++;
	mm.inv_start = first << 12;
	mm.inv_end = (first + n) << 12;
	mm.inv_seq++;
	mdp_zap_gfns(&mm, first, first + n, &g);
	pt_gather_finish(&g);
	write_unlock(&mm.lock);

	next_hpa = (next_hpa + 0x3fffff) & ~0x1fffffULL;
	for (i = 0; i < n; i++) {
		hpa_of[first + i] = next_hpa + i * 4096;
		writable[first + i] = write;
	}
	next_hpa += n * 4096;
	write_lock(&mm.lock);
	mm.inv_seq++;
	mm.inv_count--;
	write_unlock(&mm.lock);
}

static void enter(struct vcpu *v, u64 eptp)
{
	struct mdp_root *r = mdp_root_find(&mm, eptp);

	mdp_root_put(v->mdp_root);
	v->mdp_root = r;
}

/* --- what must hold --- */

/* May L2 have this, judged by EPT12 and by the host as they are now? */
static void check_leaf(struct mdp_root *r, u64 l2gpa, u64 e, u8 level, bool exact)
{
	struct ept12_env env = { .eptp = r->eptp,
				 .maxphyaddr = 40,
				 .exec_only = true,
				 .pages_2m = true,
				 .pages_1g = true,
				 .ctx = &vcpu[0],
				 .read = read_entry,
				 .set_ad = set_ad };
	struct ept12_result res;
	u64 i, hpa = pt_entry_hpa(&ops.pt, e);

	/* The host's part always: the frame is one that the host still has there. */
	for (i = 0; i < FRAMES; i++)
		if (hpa_of[i] == hpa)
			break;
	assert_true(i < FRAMES);
	if (e & 2)
		assert_true(writable[i]);
	if (!exact)
		return;
	assert_int_equal(ept12_walk(&env, l2gpa, e & 4 ? EPT_ACC_FETCH : EPT_ACC_READ, &res),
			 EPT12_OK);
	assert_int_equal(res.l1gpa, i << 12);
	assert_true(res.level >= level);
	assert_false((e & 1) && !res.read);
	assert_false((e & 2) && !res.write);
	assert_false((e & 4) && !res.exec);
	/* A and D that L1 sees must cover what L2 can do without us. */
	assert_true(res.entries[res.level - 1] & 0x100);
	if (e & 2)
		assert_true(res.entries[res.level - 1] & 0x200);
}

static void check_table(struct mdp_root *r, u64 *table, u8 level, u64 base, bool exact)
{
	int i;

	for (i = 0; i < 512; i++) {
		u64 at = base + i * pt_level_size(level);

		if (!pt_present(&ops.pt, table[i]))
			continue;
		if (pt_is_leaf(&ops.pt, table[i], level))
			check_leaf(r, at, table[i], level, exact);
		else
			check_table(r, (u64 *)pt_entry_hpa(&ops.pt, table[i]), level - 1, at,
				    exact);
	}
}

static void check_all(void)
{
	struct mdp_root *r;

	list_for_each_entry(r, &mm.mdp_roots, link)
		check_table(r, r->pt.root, 4, 0, coherent[r->eptp >> 12 & 3]);
}

static u64 faulting; /* the outermost fault's address */

static enum mm_fault_result fault(struct vcpu *v, u64 l2gpa, u32 access)
{
	u64 l1gpa, qual;

	if (!depth)
		faulting = l2gpa;
	return mdp_fault(v, l2gpa, access, v->mdp_root->eptp, &l1gpa, &qual);
}

/* Something happens on another processor, right here. */
static void meanwhile(void)
{
	int i;

	if (depth > 1 || mm.lock.readers || mm.lock.writer)
		return;
	depth++;
	switch (rnd(12)) {
	case 0:
		l1_edit();
		break;
	case 1:
		host_takes();
		break;
	case 2:
		fault(&vcpu[1], l2_address(), 1u << rnd(3));
		break;
	case 3:
		l1_edit();
		l1_invept(&vcpu[1], rnd(2), 1 + rnd(2));
		break;
	case 6:
		/* The same place, with what L1 has made of it meanwhile. */
		enter(&vcpu[1], vcpu[0].mdp_root->eptp);
		for (i = 0; i < 8; i++)
			l1_edit();
		fault(&vcpu[1], faulting, EPT_ACC_READ);
		fault(&vcpu[1], faulting ^ rnd(2) << 12, EPT_ACC_READ);
		break;
	case 5:
		l1_invept(&vcpu[1], rnd(2), 1 + rnd(2));
		break;
	case 4:
		enter(&vcpu[1], EPTP(1 + rnd(2)));
		break;
	}
	depth--;
}

static int setup(void **state)
{
	u64 i;

	memset(l1, 0, sizeof(l1));
	memset(&mm, 0, sizeof(mm));
	memset(vcpu, 0, sizeof(vcpu));
	seed = 12345;
	next_hpa = 0x100000000;
	depth = 100; /* quiet, unless the test wants it */
	logged = false;
	coherent[1] = coherent[2] = false;
	tables = 0;
	vm.mm = &mm;
	mm.vm = &vm;
	mm.tdp[0].fmt = &ops.pt;
	mm.nr_pages = FRAMES;
	rwlock_init(&mm.lock);
	INIT_LIST_HEAD(&mm.mdp_roots);
	for (i = 0; i < FRAMES; i++) {
		hpa_of[i] = next_hpa + i * 4096;
		writable[i] = true;
	}
	next_hpa += FRAMES * 4096;
	vcpu[0].vm = vcpu[1].vm = &vm;
	/* l2gpa 0 and 0x1000 by 4K, 0x200000 by 2M */
	l1[1 * 512] = 0x3007;
	l1[3 * 512] = 0x5007;
	l1[5 * 512] = 0x7007;
	l1[5 * 512 + 1] = 0x400000 | 0xb7;
	l1[7 * 512] = 0x100000 | 0x37;
	l1[7 * 512 + 1] = 0x101000 | 0x37;
	enter(&vcpu[0], EPTP(1));
	enter(&vcpu[1], EPTP(1));
	return 0;
}

static int teardown(void **state)
{
	mdp_root_put(vcpu[0].mdp_root);
	mdp_root_put(vcpu[1].mdp_root);
	mdp_roots_destroy(&mm);
	assert_int_equal(tables, 0);
	assert_int_equal(atomic_long_read(&mm.bytes), 0);
	return 0;
}

static u64 leaf(u64 l2gpa, u8 *level)
{
	return *pt_lookup(&vcpu[0].mdp_root->pt, l2gpa, level);
}

static bool mapped(u64 l2gpa)
{
	u8 level;

	return pt_present(&ops.pt, leaf(l2gpa, &level));
}

static void test_fault(void **state)
{
	u64 l1gpa, qual;
	u8 level;

	assert_int_equal(mdp_fault(&vcpu[0], 0x1234, EPT_ACC_READ, EPTP(1), &l1gpa, &qual),
			 MM_MAPPED);
	assert_int_equal(l1gpa, 0x101234);
	assert_int_equal(pt_entry_hpa(&ops.pt, leaf(0x1000, &level)), hpa_of[0x101]);
	assert_int_equal(level, 1);
	/* Not dirty in EPT12: the first write comes here. */
	assert_false(leaf(0x1000, &level) & 2);
	assert_int_equal(fault(&vcpu[0], 0x1000, EPT_ACC_WRITE), MM_MAPPED);
	assert_true(leaf(0x1000, &level) & 2);
	assert_true(l1[7 * 512 + 1] & 0x200);

	/* Large in EPT12 and in the host: large. Small in the host: small. */
	assert_int_equal(fault(&vcpu[0], 0x203000, EPT_ACC_READ), MM_MAPPED);
	leaf(0x203000, &level);
	assert_int_equal(level, 2);
	coherent[1] = true;
	check_all();
	hpa_of[0x405] = next_hpa;
	mdp_invept(&vcpu[0], false, 0);
	leaf(0x203000, &level);
	assert_int_equal(level, 2); /* INVEPT alone changes nothing */
	hpa_of[0x405] = hpa_of[0x404] + 4096;

	l1[7 * 512 + 2] = (u64)FRAMES << 12 | 0x37;
	assert_int_equal(fault(&vcpu[0], 0x2000, EPT_ACC_READ), MM_MMIO);
	assert_int_equal(fault(&vcpu[0], 0x3000, EPT_ACC_READ), MM_L1_VIOLATION);
	l1[7 * 512 + 3] = 0x2;
	assert_int_equal(fault(&vcpu[0], 0x3000, EPT_ACC_READ), MM_L1_MISCONFIG);
	writable[0x101] = false;
	assert_int_equal(fault(&vcpu[0], 0x1000, EPT_ACC_WRITE), MM_READONLY);
	assert_int_equal(mdp_fault(&vcpu[0], 0, EPT_ACC_READ, EPTP(2), &l1gpa, &qual), MM_RETRY);
}

static void test_invept_compares(void **state)
{
	fault(&vcpu[0], 0x0, EPT_ACC_WRITE);
	fault(&vcpu[0], 0x1000, EPT_ACC_WRITE);
	fault(&vcpu[0], 0x200000, EPT_ACC_READ);
	flushes = 0;
	mdp_invept(&vcpu[0], true, EPTP(1));
	assert_true(mapped(0) && mapped(0x1000) && mapped(0x200000));
	assert_int_equal(flushes, 0);

	l1[7 * 512 + 1] = 0x102000 | 0x37;
	assert_true(mapped(0x1000));	     /* stale until INVEPT, as a TLB */
	mdp_invept(&vcpu[0], true, EPTP(2)); /* another context */
	assert_true(mapped(0x1000));
	mdp_invept(&vcpu[0], true, EPTP(1));
	assert_true(mapped(0) && !mapped(0x1000) && mapped(0x200000));
	assert_int_equal(flushes, 1);

	fault(&vcpu[0], 0x1000, EPT_ACC_READ);
	l1[7 * 512] &= ~0x100ULL; /* L1 takes the accessed flag */
	mdp_invept(&vcpu[0], false, 0);
	assert_true(!mapped(0) && mapped(0x1000));
	l1[5 * 512] = 0; /* a whole table */
	mdp_invept(&vcpu[0], false, 0);
	assert_true(!mapped(0x1000) && mapped(0x200000));
	l1[5 * 512 + 1] |= 0x200; /* a flag more is no change */
	mdp_invept(&vcpu[0], false, 0);
	assert_true(mapped(0x200000));
	l1[1 * 512] = 0;
	mdp_invept(&vcpu[0], false, 0);
	assert_false(mapped(0x200000));
}

/* The same table page at two places: both must go. */
static void test_invept_shared_table(void **state)
{
	l1[5 * 512 + 2] = 0x7007;
	fault(&vcpu[0], 0x1000, EPT_ACC_READ);
	fault(&vcpu[0], 0x401000, EPT_ACC_READ);
	assert_true(mapped(0x1000) && mapped(0x401000));
	l1[7 * 512 + 1] = 0;
	mdp_invept(&vcpu[0], false, 0);
	assert_true(!mapped(0x1000) && !mapped(0x401000));
}

/* EPT12 changes without INVEPT: a new fault nearby may not hide the old leaf from INVEPT. */
static void test_change_seen_by_fault(void **state)
{
	fault(&vcpu[0], 0x0, EPT_ACC_READ);
	memcpy(&l1[8 * 512], &l1[7 * 512], 4096);
	l1[8 * 512] = 0x105000 | 0x37;
	l1[5 * 512] = 0x8007;
	assert_int_equal(fault(&vcpu[0], 0x1000, EPT_ACC_READ), MM_RETRY);
	assert_false(mapped(0));
	assert_int_equal(fault(&vcpu[0], 0x1000, EPT_ACC_READ), MM_MAPPED);
	mdp_invept(&vcpu[0], false, 0);
	assert_true(mapped(0x1000));
	coherent[1] = true;
	check_all();
}

static void test_host_takes(void **state)
{
	struct pt_gather g;
	u8 level;

	l1[7 * 512 + 2] = 0x100000 | 0x37; /* two places of one frame */
	l1[7 * 512 + 3] = 0x400000 | 0x37; /* part of a frame that is also mapped large */
	fault(&vcpu[0], 0x0, EPT_ACC_WRITE);
	fault(&vcpu[0], 0x1000, EPT_ACC_WRITE);
	fault(&vcpu[0], 0x2000, EPT_ACC_READ);
	fault(&vcpu[0], 0x3000, EPT_ACC_READ);
	fault(&vcpu[0], 0x200000, EPT_ACC_WRITE);

	write_lock(&mm.lock);
	assert_true(mdp_age_gfns(&mm, 0x100, 0x101, true));
	assert_false(mdp_age_gfns(&mm, 0x100, 0x101, false));
	assert_true(mdp_write_protect_gfns(&mm, 0x100, 0x101));
	assert_false(leaf(0, &level) & 2);
	assert_true(leaf(0x1000, &level) & 2);
	assert_true(mdp_write_protect_gfns(&mm, 0x405, 0x406));
	assert_false(leaf(0x200000, &level) & 2);

	mm_gather_init(&mm, &g);
	assert_true(mdp_zap_gfns(&mm, 0x100, 0x101, &g));
	assert_true(!mapped(0) && mapped(0x1000) && !mapped(0x2000));
	assert_false(mdp_zap_gfns(&mm, 0x100, 0x101, &g));
	assert_true(mdp_zap_gfns(&mm, 0x400, 0x401, &g));
	assert_true(!mapped(0x3000) && !mapped(0x200000) && mapped(0x1000));
	pt_gather_finish(&g);
	write_unlock(&mm.lock);
}

/* One frame at very many places: chunks, then the limit. */
static void test_many_places(void **state)
{
	struct mdp_root *r = vcpu[0].mdp_root;
	struct pt_gather g;
	u64 i;

	for (i = 0; i < 300; i++)
		assert_int_equal(mdp_index_add(r, 0x100, i, 1), 0);
	assert_int_equal(atomic_long_read(&r->index.entries), 300);
	for (i = 271; i < 300; i++) /* recent ones are not taken twice */
		assert_int_equal(mdp_index_add(r, 0x100, i, 1), 0);
	assert_int_equal(atomic_long_read(&r->index.entries), 300);
	mm_gather_init(&mm, &g);
	write_lock(&mm.lock);
	mdp_zap_gfns(&mm, 0, FRAMES, &g);
	write_unlock(&mm.lock);
	assert_int_equal(atomic_long_read(&r->index.entries), 0);

	fault(&vcpu[0], 0x1000, EPT_ACC_READ);
	atomic_long_set(&r->index.entries, 1000000);
	assert_int_equal(mdp_index_add(r, 0x100, 0, 1), -ENOSPC);
	assert_int_equal(fault(&vcpu[0], 0x0, EPT_ACC_READ), MM_RETRY);
	assert_false(mapped(0x1000));
	atomic_long_set(&r->index.entries, 0);
	assert_int_equal(fault(&vcpu[0], 0x0, EPT_ACC_READ), MM_MAPPED);

	atomic_long_add(1L << 30, &mm.bytes);
	assert_int_equal(fault(&vcpu[0], 0x1000, EPT_ACC_READ), MM_RETRY);
	assert_false(mapped(0));
	atomic_long_sub(1L << 30, &mm.bytes);
}

static void test_root_limit(void **state)
{
	struct mdp_root *first = vcpu[0].mdp_root;
	int i;

	fault(&vcpu[0], 0x1000, EPT_ACC_READ);
	reloads = 0;
	for (i = 2; i < MDP_MAX_ROOTS + 5; i++) {
		mdp_root_put(mdp_root_find(&mm, EPTP(i)));
		assert_true(mm.nr_mdp_roots <= MDP_MAX_ROOTS);
	}
	/* Held roots live longest. */
	assert_false(first->dead);
	for (i = 0; i < MDP_MAX_ROOTS; i++)
		enter(&vcpu[1], EPTP(100 + i));
	assert_true(reloads > 0);
	write_lock(&mm.lock);
	root_kill(first);
	write_unlock(&mm.lock);
	assert_true(first->dead);
	assert_int_equal(fault(&vcpu[0], 0x1000, EPT_ACC_READ), MM_RETRY);
	mdp_root_put(first); /* the list's reference, as mdp_root_find() drops it */
	enter(&vcpu[0], EPTP(1));
	assert_int_equal(fault(&vcpu[0], 0x1000, EPT_ACC_READ), MM_MAPPED);
}

static void test_random(void **state)
{
	int i;

	for (i = 0; i < 60000; i++) {
		depth = 0;
		logged = i / 500 % 4 == 3;
		switch (rnd(8)) {
		case 0:
			l1_edit();
			break;
		case 1:
			if (rnd(4) == 0)
				host_takes();
			break;
		case 2:
			l1_invept(&vcpu[0], rnd(2), 1 + rnd(2));
			check_all();
			break;
		case 3:
			enter(&vcpu[rnd(2)], EPTP(1 + rnd(2)));
			break;
		default:
			fault(&vcpu[0], l2_address(), 1u << rnd(3));
			break;
		}
		if (i % 4 == 0)
			check_all();
	}
}

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_fault),
		T(test_invept_compares),
		T(test_invept_shared_table),
		T(test_change_seen_by_fault),
		T(test_host_takes),
		T(test_many_places),
		T(test_root_limit),
		T(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
