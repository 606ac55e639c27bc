/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Multi-dimensional paging: trees composed of L1's EPT12 and L0's view of L1's
 * memory. A composed tree is a cache of EPT12, as a TLB is, and is only as
 * coherent as one. Internal to mm/.
 *
 * A root owns all that it is made of: the tree, the index from L1 frames to
 * the tree's addresses, and the snapshot of EPT12. Nothing is shared between
 * roots and nothing outside points into one, so dropping any part of it is
 * always allowed and never needs to look elsewhere.
 */
#ifndef TURTLES_MM_MDP_H
#define TURTLES_MM_MDP_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/xarray.h>
#include "mm/mm.h"
#include "mm/pt.h"

struct vm_mm;

#define MDP_MAX_ROOTS 32 /* live at a time, for one VM */
#define MDP_LEVELS    3	 /* sizes a composed leaf can have */
#define EPT12_LEVELS  4
#define MDP_SHARDS    16 /* locks an index spreads over */

/**
 * struct mdp_index - L1 frame to addresses in the composed tree
 * @xa:		by [level - 1][shard]: L1 frame (in units of the level) to one L2 frame or
 *		to a list of them; own locks. May name addresses that no longer map the frame.
 * @entries:	how many it holds
 */
struct mdp_index {
	struct xarray xa[MDP_LEVELS][MDP_SHARDS];
	atomic_long_t entries;
};

/**
 * struct mdp_snap_page - what L0 has read of one table page of EPT12
 * A page stands for a place in L2's address space, not for a page of L1.
 * @gpa:	of L1's page that was read there; constant
 * @entry:	value used, 0 where none was; set by compare-and-exchange under vm_mm.lock (L)
 *		held for reading, cleared under it held for writing
 */
struct mdp_snap_page {
	u64 gpa;
	u64 *entry;
};

/**
 * struct mdp_root - one composed tree
 * @link:	vm_mm.mdp_roots, under vm_mm.lock (L)
 * @refs:	one of the list, one of each vCPU whose v->mdp_root it is
 * @gen:	(L) grows when L1's INVEPT begins, and when the root dies: an EPT12 walk from
 *		before may not be installed after
 * @dead:	(L) off the list; no vCPU enters it again
 * @pt:		entries (L)
 * @snap:	by [EPT12 level - 1]: place of the table (l2gpa over its span) to snap page;
 *		pages are added under the array's own lock, removed with (L) for writing
 */
struct mdp_root {
	struct list_head link;
	struct rcu_head rcu; /* kfree_rcu() wants it in the first 4 KiB */
	refcount_t refs;
	u64 eptp;
	unsigned long gen;
	bool dead;
	struct pt pt;
	struct mdp_index index;
	struct xarray snap[EPT12_LEVELS];
	struct vm_mm *mm;
};

/* The hardware keeps no accessed and dirty flags in it, as EPT12 does not. */
static inline bool mdp_root_plain(const struct mdp_root *r)
{
	return !(r->eptp & 1ULL << 6);
}

/* mdp_root.c */
struct mdp_root *mdp_root_find(struct vm_mm *mm, u64 eptp); /* a reference, or NULL */
void mdp_root_put(struct mdp_root *r);
void mdp_roots_destroy(struct vm_mm *mm);
/* Drop the contents; vm_mm.lock held for writing. */
void mdp_root_empty(struct mdp_root *r, struct pt_gather *g);

/* mdp_index.c */
void mdp_index_init(struct mdp_index *ix);
void mdp_index_clear(struct vm_mm *mm, struct mdp_index *ix);
/* Note that a leaf of @level at @l2gfn maps @l1gfn: 0, -ENOMEM, -ENOSPC (too many). Sleeps. */
int mdp_index_add(struct mdp_root *r, u64 l1gfn, u64 l2gfn, u8 level);

/* All roots; frames [start, end) of L1. */
bool mdp_zap_gfns(struct vm_mm *mm, u64 start, u64 end, struct pt_gather *g);
bool mdp_write_protect_gfns(struct vm_mm *mm, u64 start, u64 end);
bool mdp_age_gfns(struct vm_mm *mm, u64 start, u64 end, bool clear);

/* mdp_snap.c */
void mdp_snap_init(struct mdp_root *r);
void mdp_snap_clear(struct mdp_root *r); /* (L) for writing, or nobody else left */
/*
 * Note the entries that a walk has used; before its result is installed. 0, -ENOMEM, or
 * -EAGAIN: EPT12 has changed here, what was composed of it is dropped, let L2 fault again.
 */
int mdp_snap_record(struct mdp_root *r, u64 l2gpa, const struct ept12_result *ept12);
/* INVEPT: drop what no longer agrees with EPT12. Sleeps; caller is in vm->srcu. */
void mdp_snap_compare(struct mdp_root *r);

/* mdp.c: caller is in vm->srcu */
enum mm_fault_result mdp_fault(struct vcpu *v, u64 l2gpa, u32 access, u64 eptp, u64 *l1gpa,
			       u64 *qual);

#endif /* TURTLES_MM_MDP_H */
