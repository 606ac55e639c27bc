/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One page-table algorithm for every second-level tree: tdp and the composed
 * trees of mdp, in EPT and in NPT format alike. Pure: no allocation, no locks,
 * no TLB flush of its own; the same file runs in user-space tests.
 *
 * Locking is the caller's (docs/locking.md, "mm"): pt_map(), pt_age() and
 * pt_lookup() run side by side under the lock held for reading, because every
 * change is one compare-and-exchange; pt_zap() and pt_write_protect() need it
 * held for writing, because table pages may only vanish when nobody walks.
 */
#ifndef TURTLES_MM_PT_H
#define TURTLES_MM_PT_H

#include <linux/types.h>
#include "hw/hw.h"

#define PT_ENTRIES    512
#define PT_MAX_LEVELS 5
#define PT_GATHER     16

/* Bytes, and 4K pages, that one entry of a table of this level maps. */
static inline u64 pt_level_size(u8 level)
{
	return 1ULL << (12 + 9 * (level - 1));
}

static inline u64 pt_level_pages(u8 level)
{
	return 1ULL << (9 * (level - 1));
}

/**
 * struct pt - one tree
 * @fmt:	entry format
 * @root:	top table
 * @free:	gives a table page back; no hardware can reach it any more
 */
struct pt {
	const struct pt_format *fmt;
	u64 *root;
	void *ctx;
	void (*free)(void *ctx, u64 *table);
};

/* Zeroed table pages that pt_map() may use up; what is left stays the caller's. */
struct pt_cache {
	u64 *table[PT_MAX_LEVELS];
	u8 n;
};

/**
 * struct pt_leaf - what shall be mapped
 * @hpa:	of the first byte of the leaf
 * @level:	1 = 4K, 2 = 2M, 3 = 1G
 * @host_write:	write access may be granted later without asking the host again
 */
struct pt_leaf {
	u64 hpa;
	u8 level;
	bool read, write, exec;
	bool host_write;
	bool uc;
};

enum pt_status {
	PT_MAPPED,	/* the entry is as wished now */
	PT_SPURIOUS,	/* it already was */
	PT_NEED_TABLES, /* fill the cache and call again */
};

/**
 * struct pt_gather - table pages cut off from their trees but not yet free
 * @flush:	translations lost rights: the TLBs must be flushed
 * @sync:	flushes them; after that hardware has no way into @item[].table
 */
struct pt_gather {
	void *ctx;
	void (*sync)(void *ctx);
	bool flush;
	u8 n;
	struct {
		struct pt *pt;
		u64 *table;
		u8 level;
	} item[PT_GATHER];
};

/* First address that the tree cannot translate. */
u64 pt_end(const struct pt *pt);

bool pt_present(const struct pt_format *fmt, u64 entry);
bool pt_is_leaf(const struct pt_format *fmt, u64 entry, u8 level);
u64 pt_entry_hpa(const struct pt_format *fmt, u64 entry);

/**
 * pt_map - make @addr translate as @leaf says
 * An entry of the same frame keeps the rights it has; a larger leaf in the way is
 * split, a table in the way of a large leaf is kept and gets a smaller leaf.
 * @flush: set when a translation was replaced by a different one
 */
enum pt_status pt_map(struct pt *pt, struct pt_cache *cache, u64 addr, const struct pt_leaf *leaf,
		      bool *flush);

/* The entry that maps @addr, or the non-present one where the walk ends. */
u64 *pt_lookup(struct pt *pt, u64 addr, u8 *level);

/* Set the write (and dirty) bit of a 4K leaf that carries the host_write mark. */
bool pt_make_writable(struct pt *pt, u64 addr);

/* The range functions work on [start, end) and say whether they found something. */
bool pt_zap(struct pt *pt, u64 start, u64 end, struct pt_gather *g);
bool pt_write_protect(struct pt *pt, u64 start, u64 end);
bool pt_age(struct pt *pt, u64 start, u64 end, bool clear);
/* Leaves by level: counts[1] 4K, counts[2] 2M, counts[3] 1G. */
void pt_count(struct pt *pt, u64 counts[4]);

void pt_gather_init(struct pt_gather *g, void *ctx, void (*sync)(void *ctx));
/* Flush if needed, then free what was gathered. */
void pt_gather_finish(struct pt_gather *g);
/* Free a whole tree that no hardware uses, root table included. */
void pt_destroy(struct pt *pt);

#endif /* TURTLES_MM_PT_H */
