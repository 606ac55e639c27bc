// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walk of the EPT tables that L1 wrote for L2. Called by mdp.c and the fuzzers.
 * Pure: memory comes through the environment's callbacks, and every entry is
 * read exactly once and then only judged by that value.
 *
 * Sources: SDM volume 3, "The Extended Page Table Mechanism (EPT)": "EPT
 * Translation Mechanism", "EPT-Induced VM Exits", "Accessed and Dirty Flags for
 * EPT", and "Exit Qualification for EPT Violations".
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/types.h>
#include "mm/mm.h"

#define E_READ		0x1ULL
#define E_WRITE		0x2ULL
#define E_EXEC		0x4ULL
#define E_RWX		0x7ULL
#define E_MEMTYPE_SHIFT 3
#define E_LARGE		0x80ULL
#define E_ACCESSED	0x100ULL
#define E_DIRTY		0x200ULL
#define E_FRAME		0x000ffffffffff000ULL

#define EPT12_LEVELS	4
#define EPT12_TRIES	8

struct ept12_path {
	u64 gpa[EPT12_LEVELS]; /* of the entry, leaf's level - 1 is the last used */
	u64 entry[EPT12_LEVELS];
};

static u64 level_size(int level)
{
	return 1ULL << (12 + 9 * (level - 1));
}

static bool is_leaf(u64 e, int level)
{
	return level == 1 || (level < EPT12_LEVELS && (e & E_LARGE));
}

/* SDM "EPT Misconfigurations": one line for each of its conditions. */
static bool misconfigured(const struct ept12_env *env, u64 e, int level)
{
	u64 memtype = (e >> E_MEMTYPE_SHIFT) & 7;

	if ((e & (E_READ | E_WRITE)) == E_WRITE)
		return true;
	if ((e & E_RWX) == E_EXEC && !env->exec_only)
		return true;
	if (e & E_FRAME & ~((1ULL << env->maxphyaddr) - 1))
		return true;
	if (level == 4)
		return e & 0xf8;
	if (!is_leaf(e, level))
		return e & 0x78;
	if (level == 3 && !env->pages_1g)
		return true;
	if (level == 2 && !env->pages_2m)
		return true;
	if (e & E_FRAME & (level_size(level) - 1))
		return true;
	return memtype == 2 || memtype == 3 || memtype == 7;
}

/* All A flags of the path, and D of the leaf for a write. */
static enum ept12_status set_flags(const struct ept12_env *env, const struct ept12_path *p,
				   int leaf, u32 access, struct ept12_result *res)
{
	int level;

	for (level = EPT12_LEVELS; level >= leaf; level--) {
		u64 old = p->entry[level - 1];
		u64 new = old | E_ACCESSED;
		int ret;

		if (level == leaf && (access & EPT_ACC_WRITE))
			new |= E_DIRTY;
		if (new == old)
			continue;
		ret = env->set_ad(env->ctx, p->gpa[level - 1], old, new);
		if (ret > 0)
			return EPT12_AGAIN;
		/* Tables in memory that takes no writes keep their flags, as on hardware. */
		if (!ret)
			res->entries[level - 1] = new;
	}
	return EPT12_OK;
}

static enum ept12_status walk_once(const struct ept12_env *env, u64 l2gpa, u32 access,
				   struct ept12_result *res)
{
	struct ept12_path p;
	u64 table = env->eptp & E_FRAME & ((1ULL << env->maxphyaddr) - 1);
	u64 rights = E_RWX;
	u64 e = 0;
	int level;

	res->qual = access & E_RWX;
	for (level = EPT12_LEVELS; level; level--) {
		u64 at = table + ((l2gpa >> (12 + 9 * (level - 1))) & 511) * 8;

		res->tables[level - 1] = table;
		/* Memory that is not there reads as ones, which no entry may be. */
		if (env->read(env->ctx, at, &e))
			e = ~0ULL;
		p.gpa[level - 1] = at;
		p.entry[level - 1] = e;
		res->entries[level - 1] = e;
		res->level = level;
		rights &= e;
		if (!(e & E_RWX)) {
			res->qual = access & E_RWX;
			return EPT12_VIOLATION;
		}
		if (misconfigured(env, e, level))
			return EPT12_MISCONFIG;
		if (is_leaf(e, level))
			break;
		table = e & E_FRAME;
	}

	res->qual |= (rights & E_RWX) << 3;
	/* Bits 2:0 of the access are those of the rights, in the same order. */
	if (access & ~rights & E_RWX)
		return EPT12_VIOLATION;
	if (env->ad && set_flags(env, &p, level, access, res) == EPT12_AGAIN)
		return EPT12_AGAIN;
	e = res->entries[level - 1];

	res->l1gpa = (e & E_FRAME & ~(level_size(level) - 1)) | (l2gpa & (level_size(level) - 1));
	res->read = rights & E_READ;
	res->write = rights & E_WRITE;
	res->exec = rights & E_EXEC;
	res->dirty = !env->ad || (e & E_DIRTY);
	res->memtype = (e >> E_MEMTYPE_SHIFT) & 7;
	return EPT12_OK;
}

/**
 * ept12_walk - translate one L2 guest-physical address
 * EPT12_AGAIN: L1 changed its tables under the walk again and again; run L2 and
 * let it fault once more.
 */
enum ept12_status ept12_walk(const struct ept12_env *env, u64 l2gpa, u32 access,
			     struct ept12_result *res)
{
	enum ept12_status st = EPT12_AGAIN;
	int i;

	*res = (struct ept12_result){ .level = EPT12_LEVELS };
	/* Four levels translate 48 bits; nothing is mapped beyond. */
	if (l2gpa >> 48) {
		res->qual = access & E_RWX;
		return EPT12_VIOLATION;
	}
	for (i = 0; i < EPT12_TRIES && st == EPT12_AGAIN; i++)
		st = walk_once(env, l2gpa, access, res);
	return st;
}
