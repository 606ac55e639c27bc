// SPDX-License-Identifier: GPL-2.0-only
/*
 * The index of a composed tree: where is this L1 frame mapped? L0's invalidations
 * (slots, MMU notifier, dirty log) come by L1 frame and go through here.
 *
 * Entries are hints. One is added before its leaf is installed, and is erased when
 * the frame is invalidated; a leaf that goes away otherwise leaves its entry behind, and
 * acting on that merely drops something from a cache. What is left behind is
 * bounded: a root with too many entries is emptied (mdp.c).
 *
 * That an entry is there for every leaf rests on vm_mm.inv_seq: whoever erases
 * entries makes it grow, and a fault that added its entry before that gives up.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "mm/mdp.h"
#include "mm/vm_mm.h"

#define CHUNK_ENTRIES 30

/* More than one L2 frame on an L1 frame: a list of chunks, the newest first. */
struct mdp_chunk {
	struct mdp_chunk *next;
	unsigned int n; /* grows under the shard's lock */
	u64 l2gfn[CHUNK_ENTRIES];
};

static unsigned int shard_of(u64 key, u8 level)
{
	return (level == 1 ? key >> 9 : key) % MDP_SHARDS;
}

void mdp_index_init(struct mdp_index *ix)
{
	unsigned int i;

	for (i = 0; i < MDP_LEVELS * MDP_SHARDS; i++)
		xa_init_flags(&ix->xa[i / MDP_SHARDS][i % MDP_SHARDS], XA_FLAGS_ACCOUNT);
	atomic_long_set(&ix->entries, 0);
}

static long free_chunks(struct vm_mm *mm, struct mdp_chunk *c)
{
	long n = 0;

	while (c) {
		struct mdp_chunk *next = c->next;

		n += c->n;
		kfree(c);
		atomic_long_sub(sizeof(*c), &mm->bytes);
		c = next;
	}
	return n;
}

static void forget(struct vm_mm *mm, struct mdp_index *ix, void *e)
{
	long n = xa_is_value(e) ? 1 : free_chunks(mm, e);

	atomic_long_sub(n, &ix->entries);
	atomic_long_sub(n * sizeof(long), &mm->bytes);
}

/* vm_mm.lock held for writing, or nobody else left. */
void mdp_index_clear(struct vm_mm *mm, struct mdp_index *ix)
{
	unsigned int i;

	if (!atomic_long_read(&ix->entries))
		return;
	for (i = 0; i < MDP_LEVELS * MDP_SHARDS; i++) {
		struct xarray *xa = &ix->xa[i / MDP_SHARDS][i % MDP_SHARDS];
		unsigned long key;
		void *e;

		xa_for_each(xa, key, e) {
			e = xa_erase(xa, key);
			if (e)
				forget(mm, ix, e);
		}
	}
}

static bool chunk_has(const struct mdp_chunk *c, u64 l2gfn)
{
	unsigned int i, n = min_t(unsigned int, READ_ONCE(c->n), CHUNK_ENTRIES);

	for (i = 0; i < n; i++)
		if (READ_ONCE(c->l2gfn[i]) == l2gfn)
			return true;
	return false;
}

static void chunk_push(struct mdp_chunk *c, u64 l2gfn)
{
	WRITE_ONCE(c->l2gfn[c->n], l2gfn);
	smp_store_release(&c->n, c->n + 1); /* pairs with visit(): entry before count */
}

/*
 * Add to an occupied place, with the shard locked; *@fresh is used up or not.
 * 1: the place is empty after all, try again; -EAGAIN: come back with a chunk.
 */
static int add_locked(struct vm_mm *mm, struct xarray *xa, u64 key, u64 l2gfn,
		      struct mdp_chunk **fresh)
{
	void *cur = xa_load(xa, key);
	struct mdp_chunk *c = cur;

	if (!cur)
		return 1;
	if (cur == xa_mk_value(l2gfn) || (!xa_is_value(cur) && chunk_has(c, l2gfn)))
		return -EEXIST;
	if (!xa_is_value(cur) && c->n < CHUNK_ENTRIES) {
		chunk_push(c, l2gfn);
		return 0;
	}
	if (!*fresh)
		return -EAGAIN;
	c = *fresh;
	*fresh = NULL;
	c->next = NULL;
	if (xa_is_value(cur))
		chunk_push(c, xa_to_value(cur));
	else
		c->next = cur;
	chunk_push(c, l2gfn);
	/* The place is taken already: replacing what is there allocates nothing. */
	__xa_store(xa, key, c, GFP_NOWAIT);
	atomic_long_add(sizeof(*c), &mm->bytes);
	return 0;
}

static int add_entry(struct vm_mm *mm, struct xarray *xa, u64 key, u64 l2gfn)
{
	struct mdp_chunk *fresh = NULL;
	int ret;

	do {
		void *was = xa_cmpxchg(xa, key, NULL, xa_mk_value(l2gfn), GFP_KERNEL_ACCOUNT);

		if (!was)
			return 0;
		if (xa_is_err(was))
			return -ENOMEM;
		xa_lock(xa);
		ret = add_locked(mm, xa, key, l2gfn, &fresh);
		xa_unlock(xa);
		if (ret == -EAGAIN) {
			fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
			if (!fresh)
				return -ENOMEM;
		}
	} while (ret == 1 || ret == -EAGAIN);
	kfree(fresh);
	return ret;
}

int mdp_index_add(struct mdp_root *r, u64 l1gfn, u64 l2gfn, u8 level)
{
	struct mdp_index *ix = &r->index;
	u64 key = l1gfn >> (9 * (level - 1));
	int ret;

	/* Room for each frame to be mapped a few times, so that only abuse gets here. */
	if ((u64)atomic_long_read(&ix->entries) > READ_ONCE(r->mm->nr_pages) * 4 + 65536)
		return -ENOSPC;
	ret = add_entry(r->mm, &ix->xa[level - 1][shard_of(key, level)], key,
			l2gfn >> (9 * (level - 1)));
	if (ret == -EEXIST)
		return 0;
	if (!ret) {
		atomic_long_inc(&ix->entries);
		atomic_long_add(sizeof(long), &r->mm->bytes);
	}
	return ret;
}

/* What is to be done to the places of a frame. */
struct visit {
	struct mdp_root *root;
	bool (*fn)(struct visit *x, u64 start, u64 end);
	struct pt_gather *g;
	bool erase;
	bool clear;
	bool found;
};

static void visit_l2(struct visit *x, u64 l2gfn, u8 level)
{
	u64 start = l2gfn << (12 + 9 * (level - 1));

	x->found |= x->fn(x, start, start + pt_level_size(level));
}

static void visit_entry(struct visit *x, void *e, u8 level)
{
	struct mdp_chunk *c = e;
	unsigned int i;

	if (xa_is_value(e)) {
		visit_l2(x, xa_to_value(e), level);
		return;
	}
	for (; c; c = c->next) {
		unsigned int n = smp_load_acquire(&c->n);

		for (i = 0; i < n; i++)
			visit_l2(x, READ_ONCE(c->l2gfn[i]), level);
	}
}

static void visit_shard(struct visit *x, u8 level, unsigned int shard, u64 first, u64 last)
{
	struct mdp_index *ix = &x->root->index;
	struct xarray *xa = &ix->xa[level - 1][shard];
	unsigned long key;
	void *e;

	xa_for_each_range(xa, key, e, first, last) {
		if (x->erase)
			e = xa_erase(xa, key);
		if (!e)
			continue;
		visit_entry(x, e, level);
		if (x->erase)
			forget(x->root->mm, ix, e);
	}
}

/* All places of the L1 frames [start, end) in one root. */
static void visit_root(struct visit *x, u64 start, u64 end)
{
	u8 level;

	if (!atomic_long_read(&x->root->index.entries))
		return;
	for (level = 1; level <= MDP_LEVELS; level++) {
		u64 first = start >> (9 * (level - 1));
		u64 last = (end - 1) >> (9 * (level - 1));
		u64 group = level == 1 ? 9 : 0;
		u64 shards = min_t(u64, (last >> group) - (first >> group) + 1, MDP_SHARDS);
		u64 i;

		for (i = 0; i < shards; i++)
			visit_shard(x, level, ((first >> group) + i) % MDP_SHARDS, first, last);
	}
}

static bool visit_all(struct vm_mm *mm, struct visit *x, u64 start, u64 end)
{
	if (start >= end)
		return false;
	list_for_each_entry(x->root, &mm->mdp_roots, link)
		visit_root(x, start, end);
	return x->found;
}

static bool do_zap(struct visit *x, u64 start, u64 end)
{
	return pt_zap(&x->root->pt, start, end, x->g);
}

static bool do_write_protect(struct visit *x, u64 start, u64 end)
{
	return pt_write_protect(&x->root->pt, start, end);
}

static bool do_age(struct visit *x, u64 start, u64 end)
{
	return pt_age(&x->root->pt, start, end, x->clear);
}

bool mdp_zap_gfns(struct vm_mm *mm, u64 start, u64 end, struct pt_gather *g)
{
	struct visit x = { .fn = do_zap, .g = g, .erase = true };

	lockdep_assert_held_write(&mm->lock);
	return visit_all(mm, &x, start, end);
}

bool mdp_write_protect_gfns(struct vm_mm *mm, u64 start, u64 end)
{
	struct visit x = { .fn = do_write_protect };

	lockdep_assert_held_write(&mm->lock);
	return visit_all(mm, &x, start, end);
}

bool mdp_age_gfns(struct vm_mm *mm, u64 start, u64 end, bool clear)
{
	struct visit x = { .fn = do_age, .clear = clear };

	lockdep_assert_held(&mm->lock);
	return visit_all(mm, &x, start, end);
}
