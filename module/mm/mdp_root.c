// SPDX-License-Identifier: GPL-2.0-only
/*
 * Roots of composed trees: found by EPTP, bounded in number, the least recently
 * entered one dies first. Called by mm_root(), mdp.c and vm_mm_destroy().
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "mm/mdp.h"
#include "mm/vm_mm.h"
#include "vcpu/vcpu.h"

void mdp_root_put(struct mdp_root *r)
{
	if (!r || !refcount_dec_and_test(&r->refs))
		return;
	/* A fault that held it while it died may have left something behind. */
	mdp_index_clear(r->mm, &r->index);
	mdp_snap_clear(r);
	atomic_long_sub(sizeof(*r), &r->mm->bytes);
	kfree_rcu(r, rcu);
}

void mdp_root_empty(struct mdp_root *r, struct pt_gather *g)
{
	lockdep_assert_held_write(&r->mm->lock);
	WRITE_ONCE(r->gen, r->gen + 1);
	pt_zap(&r->pt, 0, ~0ULL, g);
	mdp_index_clear(r->mm, &r->index);
	mdp_snap_clear(r);
}

/*
 * Take a root off the list; lock held for writing. Every vCPU asks mm_root() again
 * before it runs on, and fault handlers that still hold the root see its new
 * generation. After vm_request_all() no hardware walks the tree.
 */
static void root_kill(struct mdp_root *r)
{
	struct vm_mm *mm = r->mm;

	list_del_init(&r->link);
	mm->nr_mdp_roots--;
	mm->nr_plain_roots -= mdp_root_plain(r);
	WRITE_ONCE(r->dead, true);
	WRITE_ONCE(r->gen, r->gen + 1);
	vm_request_all(mm->vm, REQ_MMU_RELOAD);
	vm_request_all(mm->vm, REQ_TLB_FLUSH);
	pt_destroy(&r->pt);
	mdp_index_clear(mm, &r->index);
	mdp_snap_clear(r);
}

static struct mdp_root *root_alloc(struct vm_mm *mm, u64 eptp)
{
	struct mdp_root *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return NULL;
	r->pt = (struct pt){ .fmt = mm->tdp[0].fmt, .ctx = mm, .free = mm_table_free };
	r->pt.root = mm_table_alloc(mm);
	if (!r->pt.root) {
		kfree(r);
		return NULL;
	}
	refcount_set(&r->refs, 1);
	INIT_LIST_HEAD(&r->link);
	r->eptp = eptp;
	r->mm = mm;
	mdp_index_init(&r->index);
	mdp_snap_init(r);
	atomic_long_add(sizeof(*r), &mm->bytes);
	return r;
}

static struct mdp_root *find_locked(struct vm_mm *mm, u64 eptp)
{
	struct mdp_root *r;

	list_for_each_entry(r, &mm->mdp_roots, link) {
		if (r->eptp != eptp)
			continue;
		list_move(&r->link, &mm->mdp_roots);
		refcount_inc(&r->refs);
		return r;
	}
	return NULL;
}

/* The one that nobody holds and nobody entered for longest, else simply the oldest. */
static struct mdp_root *victim(struct vm_mm *mm)
{
	struct mdp_root *r;

	list_for_each_entry_reverse(r, &mm->mdp_roots, link)
		if (refcount_read(&r->refs) == 1)
			return r;
	return list_last_entry(&mm->mdp_roots, struct mdp_root, link);
}

struct mdp_root *mdp_root_find(struct vm_mm *mm, u64 eptp)
{
	struct mdp_root *r, *new, *old = NULL;

	write_lock(&mm->lock);
	r = find_locked(mm, eptp);
	write_unlock(&mm->lock);
	if (r)
		return r;
	new = root_alloc(mm, eptp);
	if (!new)
		return NULL;

	write_lock(&mm->lock);
	r = find_locked(mm, eptp);
	if (!r) {
		if (mm->nr_mdp_roots >= MDP_MAX_ROOTS) {
			old = victim(mm);
			root_kill(old);
		}
		list_add(&new->link, &mm->mdp_roots);
		mm->nr_mdp_roots++;
		mm->nr_plain_roots += mdp_root_plain(new);
		refcount_inc(&new->refs);
		r = new;
		new = NULL;
	}
	write_unlock(&mm->lock);

	mdp_root_put(old);
	if (new) {
		pt_destroy(&new->pt);
		mdp_root_put(new);
	}
	return r;
}

/* No vCPU is left. */
void mdp_roots_destroy(struct vm_mm *mm)
{
	struct mdp_root *r, *next;

	list_for_each_entry_safe(r, next, &mm->mdp_roots, link) {
		list_del_init(&r->link);
		pt_destroy(&r->pt);
		mdp_root_put(r);
	}
}
