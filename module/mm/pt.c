// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page-table algorithm of pt.h. Called by tdp.c, mdp.c, mdp_index.c and the
 * unit tests. Must not know whose tree it is, nor how memory is found.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/io.h>
#include "mm/pt.h"

#define PT_FRAME 0x000ffffffffff000ULL /* physical address bits 51:12 */

static unsigned int pt_index(u64 addr, u8 level)
{
	return (addr >> (12 + 9 * (level - 1))) & (PT_ENTRIES - 1);
}

u64 pt_end(const struct pt *pt)
{
	return 1ULL << (12 + 9 * pt->fmt->levels);
}

bool pt_present(const struct pt_format *fmt, u64 entry)
{
	return entry & fmt->present;
}

bool pt_is_leaf(const struct pt_format *fmt, u64 entry, u8 level)
{
	return level == 1 || (entry & fmt->large);
}

/* A backend may put memory encryption's address bit into table and leaf bits. */
u64 pt_entry_hpa(const struct pt_format *fmt, u64 entry)
{
	return entry & PT_FRAME & ~fmt->table & ~fmt->memtype_wb;
}

static u64 *pt_child(const struct pt_format *fmt, u64 entry)
{
	return phys_to_virt(pt_entry_hpa(fmt, entry));
}

static u64 pt_table_entry(const struct pt_format *fmt, u64 *table)
{
	return virt_to_phys(table) | fmt->table;
}

static u64 pt_right_bits(const struct pt_format *fmt)
{
	return fmt->read | fmt->write | fmt->exec | fmt->accessed | fmt->dirty | fmt->sw0;
}

/* Accessed and dirty are preset: a hardware update costs more, and nobody asks. */
static u64 pt_leaf_entry(const struct pt_format *fmt, const struct pt_leaf *l, u8 level, u64 hpa)
{
	u64 e = hpa | fmt->accessed;

	e |= l->uc ? fmt->memtype_uc : fmt->memtype_wb;
	if (l->read || !fmt->exec_only)
		e |= fmt->read;
	if (l->write)
		e |= fmt->write | fmt->dirty;
	if (l->host_write)
		e |= fmt->sw0;
	e |= l->exec ? fmt->exec : fmt->nx;
	if (level > 1)
		e |= fmt->large;
	return e;
}

/* The entry for both: all rights of @old and of @new, which map the same frame. */
static u64 pt_merge(const struct pt_format *fmt, u64 old, u64 new)
{
	u64 e = new | (old & pt_right_bits(fmt));

	if (fmt->nx && !(old & fmt->nx))
		e &= ~fmt->nx;
	return e;
}

static bool pt_same_frame(const struct pt_format *fmt, u64 a, u64 b)
{
	return !((a ^ b) & ~(pt_right_bits(fmt) | fmt->nx));
}

/* Fill @table with the 512 parts of the large leaf @e of @level. */
static void pt_fill_split(const struct pt_format *fmt, u64 *table, u64 e, u8 level)
{
	u64 step = pt_level_size(level - 1);
	unsigned int i;

	if (level == 2)
		e &= ~fmt->large;
	for (i = 0; i < PT_ENTRIES; i++)
		table[i] = e + i * step;
}

/* Does the large leaf @e of @level already give what @leaf asks for at @addr? */
static bool pt_large_serves(const struct pt_format *fmt, u64 e, u8 level, u64 addr,
			    const struct pt_leaf *leaf)
{
	u64 part = e + (addr & (pt_level_size(level) - 1) & ~(pt_level_size(leaf->level) - 1));
	u64 want = pt_leaf_entry(fmt, leaf, level, leaf->hpa);

	/* The mark alone is no right: it does not justify a split. */
	want &= ~fmt->sw0;
	return pt_same_frame(fmt, part, want) &&
	       (pt_merge(fmt, part, want) & ~fmt->sw0) == (part & ~fmt->sw0);
}

static bool pt_large_same_frame(const struct pt_format *fmt, u64 e, u8 level, u64 addr,
				const struct pt_leaf *leaf)
{
	u64 part = e + (addr & (pt_level_size(level) - 1) & ~(pt_level_size(leaf->level) - 1));

	return pt_same_frame(fmt, part, pt_leaf_entry(fmt, leaf, level, leaf->hpa));
}

/*
 * Put a table where @e stands: an empty one, or the parts of a large leaf.
 * The caller looks at the entry again in any case.
 */
static enum pt_status pt_add_table(struct pt *pt, struct pt_cache *cache, u64 *sp, u64 e, u8 level,
				   bool split)
{
	u64 *table;

	if (!cache->n)
		return PT_NEED_TABLES;
	table = cache->table[cache->n - 1];
	if (split)
		pt_fill_split(pt->fmt, table, e, level);
	if (cmpxchg(sp, e, pt_table_entry(pt->fmt, table)) == e)
		cache->n--;
	else if (split)
		memset(table, 0, PT_ENTRIES * sizeof(u64));
	return PT_MAPPED;
}

/* Replace @e, a gap or a leaf, by the part of @leaf for @addr; false: it has changed. */
static bool pt_set_leaf(struct pt *pt, u64 *sp, u64 e, u64 addr, u8 level,
			const struct pt_leaf *leaf, bool *flush, enum pt_status *st)
{
	const struct pt_format *fmt = pt->fmt;
	u64 off = addr & (pt_level_size(leaf->level) - 1) & ~(pt_level_size(level) - 1);
	u64 new = pt_leaf_entry(fmt, leaf, level, leaf->hpa + off);
	bool other = pt_present(fmt, e);

	if (other && pt_same_frame(fmt, e, new)) {
		new = pt_merge(fmt, e, new);
		other = false;
	}
	*st = new == e ? PT_SPURIOUS : PT_MAPPED;
	if (new != e && cmpxchg(sp, e, new) != e)
		return false;
	*flush |= other;
	return true;
}

/* A larger leaf @e stands where a table must be; PT_MAPPED: look again. */
static enum pt_status pt_break_large(struct pt *pt, struct pt_cache *cache, u64 *sp, u64 e,
				     u64 addr, u8 level, const struct pt_leaf *leaf, bool *flush)
{
	bool same = pt_large_same_frame(pt->fmt, e, level, addr, leaf);
	enum pt_status st;

	if (same && pt_large_serves(pt->fmt, e, level, addr, leaf))
		return PT_SPURIOUS;
	st = pt_add_table(pt, cache, sp, e, level, same);
	/* Two page sizes for one address may not stay in a TLB. */
	if (st == PT_MAPPED)
		*flush = true;
	return st;
}

enum pt_status pt_map(struct pt *pt, struct pt_cache *cache, u64 addr, const struct pt_leaf *leaf,
		      bool *flush)
{
	const struct pt_format *fmt = pt->fmt;
	u8 level = fmt->levels;
	u64 *table = pt->root;
	enum pt_status st;

	for (;;) {
		u64 *sp = &table[pt_index(addr, level)];
		u64 e = READ_ONCE(*sp);

		if (pt_present(fmt, e) && !pt_is_leaf(fmt, e, level)) {
			table = pt_child(fmt, e);
			level--;
		} else if (level <= leaf->level) {
			if (pt_set_leaf(pt, sp, e, addr, level, leaf, flush, &st))
				return st;
		} else if (pt_present(fmt, e)) {
			st = pt_break_large(pt, cache, sp, e, addr, level, leaf, flush);
			if (st != PT_MAPPED)
				return st;
		} else {
			st = pt_add_table(pt, cache, sp, e, level, false);
			if (st != PT_MAPPED)
				return st;
		}
	}
}

u64 *pt_lookup(struct pt *pt, u64 addr, u8 *level)
{
	u8 l = pt->fmt->levels;
	u64 *table = pt->root;

	for (;; l--) {
		u64 *sp = &table[pt_index(addr, l)];
		u64 e = READ_ONCE(*sp);

		if (!pt_present(pt->fmt, e) || pt_is_leaf(pt->fmt, e, l)) {
			*level = l;
			return sp;
		}
		table = pt_child(pt->fmt, e);
	}
}

bool pt_make_writable(struct pt *pt, u64 addr)
{
	const struct pt_format *fmt = pt->fmt;
	u8 level;
	u64 *sp = pt_lookup(pt, addr, &level);
	u64 e;

	do {
		e = READ_ONCE(*sp);
		if (level != 1 || !pt_present(fmt, e) || !(e & fmt->sw0))
			return false;
	} while (cmpxchg(sp, e, e | fmt->write | fmt->dirty | fmt->accessed) != e);
	return true;
}

/* Range walk: calls @leaf for each present leaf that overlaps [start, end). */
struct pt_range {
	struct pt *pt;
	u64 start, end;
	bool (*leaf)(struct pt_range *r, u64 *sp, u8 level);
	u64 *counts;
	bool clear;
};

static bool pt_walk_range(struct pt_range *r, u64 *table, u8 level, u64 base)
{
	u64 size = pt_level_size(level);
	u64 at = max(r->start, base) & ~(size - 1);
	u64 last = min(r->end, base + size * PT_ENTRIES);
	bool found = false;

	for (; at < last; at += size) {
		u64 *sp = &table[pt_index(at, level)];
		u64 e = READ_ONCE(*sp);

		if (!pt_present(r->pt->fmt, e))
			continue;
		if (pt_is_leaf(r->pt->fmt, e, level))
			found |= r->leaf(r, sp, level);
		else
			found |= pt_walk_range(r, pt_child(r->pt->fmt, e), level - 1, at);
	}
	return found;
}

static bool pt_run_range(struct pt_range *r)
{
	if (r->end > pt_end(r->pt))
		r->end = pt_end(r->pt);
	return pt_walk_range(r, r->pt->root, r->pt->fmt->levels, 0);
}

static bool leaf_write_protect(struct pt_range *r, u64 *sp, u8 level)
{
	u64 e;

	do {
		e = READ_ONCE(*sp);
		if (!(e & r->pt->fmt->write))
			return false;
	} while (cmpxchg(sp, e, e & ~r->pt->fmt->write) != e);
	return true;
}

bool pt_write_protect(struct pt *pt, u64 start, u64 end)
{
	struct pt_range r = {
		.pt = pt,
		.start = start,
		.end = end,
		.leaf = leaf_write_protect,
	};

	return pt_run_range(&r);
}

static bool leaf_age(struct pt_range *r, u64 *sp, u8 level)
{
	u64 e;

	do {
		e = READ_ONCE(*sp);
		/* A format without the bit: whatever is mapped counts as used. */
		if (!r->pt->fmt->accessed)
			return true;
		if (!(e & r->pt->fmt->accessed))
			return false;
		if (!r->clear)
			return true;
	} while (cmpxchg(sp, e, e & ~r->pt->fmt->accessed) != e);
	return true;
}

bool pt_age(struct pt *pt, u64 start, u64 end, bool clear)
{
	struct pt_range r = {
		.pt = pt,
		.start = start,
		.end = end,
		.leaf = leaf_age,
		.clear = clear,
	};

	return pt_run_range(&r);
}

static bool leaf_count(struct pt_range *r, u64 *sp, u8 level)
{
	if (level < 4)
		r->counts[level]++;
	return true;
}

void pt_count(struct pt *pt, u64 counts[4])
{
	struct pt_range r = { .pt = pt, .end = ~0ULL, .leaf = leaf_count, .counts = counts };

	pt_run_range(&r);
}

static void pt_free_tree(struct pt *pt, u64 *table, u8 level)
{
	unsigned int i;

	for (i = 0; level > 1 && i < PT_ENTRIES; i++) {
		u64 e = table[i];

		if (pt_present(pt->fmt, e) && !pt_is_leaf(pt->fmt, e, level))
			pt_free_tree(pt, pt_child(pt->fmt, e), level - 1);
	}
	pt->free(pt->ctx, table);
}

void pt_gather_init(struct pt_gather *g, void *ctx, void (*sync)(void *ctx))
{
	g->ctx = ctx;
	g->sync = sync;
	g->flush = false;
	g->n = 0;
}

void pt_gather_finish(struct pt_gather *g)
{
	if (g->flush)
		g->sync(g->ctx);
	g->flush = false;
	while (g->n) {
		g->n--;
		pt_free_tree(g->item[g->n].pt, g->item[g->n].table, g->item[g->n].level);
	}
}

static void pt_gather_add(struct pt_gather *g, struct pt *pt, u64 *table, u8 level)
{
	if (g->n == PT_GATHER)
		pt_gather_finish(g);
	g->item[g->n].pt = pt;
	g->item[g->n].table = table;
	g->item[g->n].level = level;
	g->n++;
	g->flush = true;
}

static bool pt_zap_table(struct pt *pt, u64 *table, u8 level, u64 base, u64 start, u64 end,
			 struct pt_gather *g)
{
	u64 size = pt_level_size(level);
	u64 at = max(start, base) & ~(size - 1);
	u64 last = min(end, base + size * PT_ENTRIES);
	bool found = false;

	for (; at < last; at += size) {
		u64 *sp = &table[pt_index(at, level)];
		u64 e = READ_ONCE(*sp);

		if (!pt_present(pt->fmt, e))
			continue;
		found = true;
		if (pt_is_leaf(pt->fmt, e, level)) {
			/* Hardware may be setting A or D: take the entry in one go. */
			xchg(sp, 0);
			g->flush = true;
		} else if (at >= start && at + size <= end) {
			WRITE_ONCE(*sp, 0);
			pt_gather_add(g, pt, pt_child(pt->fmt, e), level - 1);
		} else {
			pt_zap_table(pt, pt_child(pt->fmt, e), level - 1, at, start, end, g);
		}
	}
	return found;
}

bool pt_zap(struct pt *pt, u64 start, u64 end, struct pt_gather *g)
{
	return pt_zap_table(pt, pt->root, pt->fmt->levels, 0, start, min(end, pt_end(pt)), g);
}

void pt_destroy(struct pt *pt)
{
	if (pt->root)
		pt_free_tree(pt, pt->root, pt->fmt->levels);
	pt->root = NULL;
}
