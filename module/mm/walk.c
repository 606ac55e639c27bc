// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's own paging: linear address to (guest-)physical address. Called by
 * vcpu/gva.c for L1 and for L2, and by the fuzzers. Pure: it reads each entry
 * once through the environment and must not know what backs it.
 *
 * Sources: SDM volume 3, chapter "Paging": "32-Bit Paging", "PAE Paging",
 * "4-Level Paging and 5-Level Paging", "Access Rights", "Page-Fault
 * Exceptions", "Accessed and Dirty Flags", "Protection Keys".
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/types.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include "mm/mm.h"

#define P_PRESENT    0x1ULL
#define P_WRITE	     0x2ULL
#define P_USER	     0x4ULL
#define P_ACCESSED   0x20ULL
#define P_DIRTY	     0x40ULL
#define P_LARGE	     0x80ULL
#define P_NX	     (1ULL << 63)
#define P_FRAME	     0x000ffffffffff000ULL
#define P_PKEY_SHIFT 59

#define PF_P	     0x01u
#define PF_W	     0x02u
#define PF_U	     0x04u
#define PF_RSVD	     0x08u
#define PF_I	     0x10u
#define PF_PK	     0x20u

#define WALK_TRIES   8
#define WALK_MAX     5

enum paging { PAGING_32BIT, PAGING_PAE, PAGING_LONG };

/**
 * struct mode - what the control registers say about paging
 * @levels: tables to walk; a PDPTE register is no table
 */
struct mode {
	enum paging paging;
	u8 levels;
	u8 len; /* of an entry */
	u8 index_bits;
	bool nxe;
};

/* The entries used, for the accessed and dirty flags. */
struct path {
	u64 gpa[WALK_MAX];
	u64 entry[WALK_MAX];
	u8 top, leaf;	      /* levels */
	bool flags[WALK_MAX]; /* the level keeps an accessed flag */
};

static struct mode paging_mode(const struct walk_env *env)
{
	struct mode m = { PAGING_32BIT, 2, 4, 10, false };

	if (!(env->cr4 & X86_CR4_PAE))
		return m;
	m.paging = PAGING_PAE;
	m.levels = 3;
	m.len = 8;
	m.index_bits = 9;
	m.nxe = env->nx && (env->efer & EFER_NX);
	if (env->efer & EFER_LMA) {
		m.paging = PAGING_LONG;
		m.levels = env->cr4 & X86_CR4_LA57 ? 5 : 4;
	}
	return m;
}

static u64 entry_size(const struct mode *m, int level)
{
	return 1ULL << (12 + m->index_bits * (level - 1));
}

static u64 phys_mask(const struct walk_env *env)
{
	return (1ULL << env->maxphyaddr) - 1;
}

static u64 root_table(const struct walk_env *env, const struct mode *m)
{
	switch (m->paging) {
	case PAGING_32BIT:
		return env->cr3 & 0xfffff000;
	case PAGING_PAE:
		return env->cr3 & 0xffffffe0;
	default:
		return env->cr3 & P_FRAME & phys_mask(env);
	}
}

static bool is_large(const struct walk_env *env, const struct mode *m, u64 e, int level)
{
	if (!(e & P_LARGE))
		return false;
	if (m->paging == PAGING_32BIT)
		return level == 2 && (env->cr4 & X86_CR4_PSE);
	if (level == 3)
		return m->paging == PAGING_LONG && env->gbpages;
	return level == 2;
}

/* Bits of a 32-bit paging entry that must be zero: SDM "32-Bit Paging". */
static u64 reserved_32bit(const struct walk_env *env, bool large)
{
	int width;

	if (!large)
		return 0;
	if (!env->pse36)
		return 0x003fe000;
	width = min_t(int, env->maxphyaddr, 40);
	/* Bits 21:(M-19); address bits (M-1):32 stand in (M-20):13. */
	return 0x003fffff & ~((1ULL << max(width - 19, 13)) - 1);
}

static u64 reserved_bits(const struct walk_env *env, const struct mode *m, u64 e, int level,
			 bool large)
{
	u64 rsvd;

	if (m->paging == PAGING_32BIT)
		return reserved_32bit(env, large);

	rsvd = P_FRAME & ~phys_mask(env);
	if (m->paging == PAGING_PAE) {
		rsvd |= 0x7ff0000000000000ULL;
		if (level == 3)
			return rsvd | P_NX | (env->pdpte_a ? 0x1c6 : 0x1e6);
	}
	if (!m->nxe)
		rsvd |= P_NX;
	if (level >= 4 || (level == 3 && !env->gbpages))
		rsvd |= P_LARGE;
	if (large)
		rsvd |= (entry_size(m, level) - 1) & ~0x1fffULL;
	return rsvd;
}

static u64 leaf_address(const struct walk_env *env, const struct mode *m, u64 e, int level, u64 gva)
{
	u64 size = entry_size(m, level);
	u64 base;

	if (m->paging == PAGING_32BIT) {
		base = e & 0xfffff000 & ~(size - 1);
		if (level == 2 && env->pse36)
			base |= ((e >> 13) & 0xff) << 32;
		base &= phys_mask(env);
	} else {
		base = e & P_FRAME & ~(size - 1);
	}
	return base | (gva & (size - 1));
}

static u32 fault_code(const struct walk_env *env, const struct mode *m, u32 access, u32 code)
{
	if (access & WALK_WRITE)
		code |= PF_W;
	if (access & WALK_USER)
		code |= PF_U;
	if ((access & WALK_FETCH) && (m->nxe || (env->cr4 & X86_CR4_SMEP)))
		code |= PF_I;
	return code;
}

/* SDM "Determination of Access Rights"; true when the access is forbidden. */
static bool forbidden(const struct walk_env *env, const struct walk_result *r, u32 access)
{
	bool user = access & WALK_USER;

	if (user && !r->user)
		return true;
	if ((access & WALK_WRITE) && !r->writable && (user || (env->cr0 & X86_CR0_WP)))
		return true;
	if (access & WALK_FETCH)
		return !r->executable || (!user && r->user && (env->cr4 & X86_CR4_SMEP));
	return !user && r->user && (env->cr4 & X86_CR4_SMAP) &&
	       ((access & WALK_IMPLICIT) || !(env->rflags & X86_EFLAGS_AC));
}

/* SDM "Protection Keys": user-mode addresses only, data accesses only. */
static bool key_forbids(const struct walk_env *env, const struct mode *m,
			const struct walk_result *r, u64 leaf, u32 access)
{
	u32 rights;

	if (m->paging != PAGING_LONG || !(env->cr4 & X86_CR4_PKE) || !r->user ||
	    (access & WALK_FETCH))
		return false;
	rights = env->pkru >> (2 * ((leaf >> P_PKEY_SHIFT) & 15));
	if (rights & 1)
		return true;
	return (rights & 2) && (access & WALK_WRITE) &&
	       ((access & WALK_USER) || (env->cr0 & X86_CR0_WP));
}

/* 0 done, -EAGAIN the guest changed an entry, 1 nested fault. */
static int set_flags(const struct walk_env *env, const struct mode *m, const struct path *p,
		     u32 access)
{
	int level;

	for (level = p->top; level >= p->leaf; level--) {
		u64 old = p->entry[level - 1];
		u64 new = old | P_ACCESSED;
		int ret;

		if (!p->flags[level - 1])
			continue;
		if (level == p->leaf && (access & WALK_WRITE))
			new |= P_DIRTY;
		if (new == old)
			continue;
		ret = env->cmpxchg(env->ctx, p->gpa[level - 1], old, new, m->len);
		/* Tables in memory that takes no writes keep their flags. */
		if (ret == 1 || ret == -EAGAIN)
			return ret;
	}
	return 0;
}

/* Read the entry of @level; PDPTE registers stand in for PAE's top table. */
static int read_entry(const struct walk_env *env, const struct mode *m, struct path *p, u64 table,
		      u64 gva, int level)
{
	unsigned int index = (gva >> (12 + m->index_bits * (level - 1))) &
			     ((1u << m->index_bits) - 1);
	u64 e = 0;
	int ret;

	p->flags[level - 1] = true;
	if (m->paging == PAGING_PAE && level == 3) {
		p->flags[level - 1] = false;
		index = (gva >> 30) & 3;
		if (env->use_pdptrs) {
			p->entry[level - 1] = env->pdptrs[index];
			return 0;
		}
	}
	p->gpa[level - 1] = table + index * m->len;
	ret = env->read(env->ctx, p->gpa[level - 1], &e, m->len);
	p->entry[level - 1] = e;
	return ret;
}

static enum walk_status fail(const struct walk_env *env, const struct mode *m, u32 access,
			     struct walk_result *res, u32 code)
{
	res->pf_error = fault_code(env, m, access, code);
	return WALK_FAULT;
}

/* Down the tables: rights, size and address, or the fault that ends it. */
static enum walk_status descend(const struct walk_env *env, const struct mode *m, u64 gva,
				u32 access, struct path *p, struct walk_result *res)
{
	u64 table = root_table(env, m);
	int level;

	res->writable = true;
	res->user = true;
	res->executable = true;
	p->top = m->levels;
	for (level = m->levels; level; level--) {
		int ret = read_entry(env, m, p, table, gva, level);
		bool large, leaf;
		u64 e;

		if (ret)
			return ret == 1 ? WALK_NESTED_FAULT : WALK_NO_MEMORY;
		e = p->entry[level - 1];
		if (!(e & P_PRESENT))
			return fail(env, m, access, res, 0);
		large = is_large(env, m, e, level);
		if (e & reserved_bits(env, m, e, level, large))
			return fail(env, m, access, res, PF_P | PF_RSVD);
		leaf = large || level == 1;

		if (m->paging != PAGING_PAE || level < 3) {
			res->writable &= !!(e & P_WRITE);
			res->user &= !!(e & P_USER);
			if (m->nxe && (e & P_NX))
				res->executable = false;
		}
		if (leaf) {
			p->leaf = level;
			res->page_size = entry_size(m, level);
			res->gpa = leaf_address(env, m, e, level, gva);
			return WALK_OK;
		}
		table = m->paging == PAGING_32BIT ? e & 0xfffff000 : e & P_FRAME;
	}
	return WALK_NO_MEMORY; /* not reached: level 1 is a leaf */
}

static enum walk_status walk_once(const struct walk_env *env, const struct mode *m, u64 gva,
				  u32 access, struct walk_result *res, bool *again)
{
	struct path p = { .top = 0 };
	enum walk_status st = descend(env, m, gva, access, &p, res);
	u32 code = PF_P;

	*again = false;
	if (st != WALK_OK)
		return st;

	if (key_forbids(env, m, res, p.entry[p.leaf - 1], access))
		code |= PF_PK;
	if ((code & PF_PK) || forbidden(env, res, access))
		return fail(env, m, access, res, code);

	if (access & WALK_NO_AD)
		return WALK_OK;
	switch (set_flags(env, m, &p, access)) {
	case 1:
		return WALK_NESTED_FAULT;
	case -EAGAIN:
		*again = true;
		return WALK_OK;
	default:
		return WALK_OK;
	}
}

/**
 * guest_walk - translate @gva as the processor would
 *
 * The caller has checked that @gva is canonical. When another vCPU keeps
 * changing the entries the last translation stands, without its flags: it was
 * a valid one when it was read.
 */
enum walk_status guest_walk(const struct walk_env *env, u64 gva, u32 access,
			    struct walk_result *res)
{
	struct mode m = paging_mode(env);
	enum walk_status st = WALK_OK;
	bool again = true;
	int i;

	*res = (struct walk_result){ .page_size = 4096 };
	/* Linear addresses are 32 bits wide without 4-level paging, and without paging. */
	if (m.paging != PAGING_LONG || !(env->cr0 & X86_CR0_PG))
		gva = (u32)gva;
	if (!(env->cr0 & X86_CR0_PG)) {
		res->gpa = gva;
		res->writable = true;
		res->user = true;
		res->executable = true;
		return WALK_OK;
	}
	for (i = 0; i < WALK_TRIES && again; i++)
		st = walk_once(env, &m, gva, access, res, &again);
	return st;
}
