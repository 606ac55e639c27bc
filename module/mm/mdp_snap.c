// SPDX-License-Identifier: GPL-2.0-only
/*
 * INVEPT by comparison. A root keeps each EPT12 entry that it has used, at its place in
 * L2's address space. INVEPT reads L1's tables again and drops only what hangs off an
 * entry that differs. Called by mdp.c and mdp_root.c.
 *
 * What holds it together:
 *  - A composed leaf is installed only while every entry on its path is recorded, and
 *    with the value that it was composed of. (Recorded first; whoever clears a
 *    record makes the root's generation grow, which the installation checks.)
 *  - A record is cleared only together with all that hangs off it, in one critical section.
 *  - The generation grows before INVEPT reads L1's tables, so no older walk is
 *    installed behind its back.
 */
#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "mm/mdp.h"
#include "mm/vm_mm.h"
#include "vcpu/vcpu.h"

#define EPT_FLAGS    (1ULL << 8 | 1ULL << 9) /* accessed and dirty */
#define MAX_CHANGES  64
#define RECORD_TRIES (2 * EPT12_LEVELS)

/* The place of the table of @level that translates @l2gpa. */
static unsigned long place(u64 l2gpa, u8 level)
{
	return l2gpa >> (12 + 9 * level);
}

static unsigned int slot_of(u64 l2gpa, u8 level)
{
	return (l2gpa >> (12 + 9 * (level - 1))) & (PT_ENTRIES - 1);
}

/* Flags that were added change no translation; all else may. */
static bool differs(u64 was, u64 is)
{
	return (was & ~is) || ((was ^ is) & ~EPT_FLAGS);
}

void mdp_snap_init(struct mdp_root *r)
{
	unsigned int i;

	for (i = 0; i < EPT12_LEVELS; i++)
		xa_init_flags(&r->snap[i], XA_FLAGS_ACCOUNT);
}

static void page_free(struct vm_mm *mm, struct mdp_snap_page *p)
{
	free_page((unsigned long)p->entry);
	kfree(p);
	atomic_long_sub(sizeof(*p) + PAGE_SIZE, &mm->bytes);
}

static struct mdp_snap_page *page_new(struct vm_mm *mm, u64 gpa)
{
	struct mdp_snap_page *p = kmalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);

	if (!p)
		return NULL;
	p->gpa = gpa;
	p->entry = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!p->entry) {
		kfree(p);
		return NULL;
	}
	atomic_long_add(sizeof(*p) + PAGE_SIZE, &mm->bytes);
	return p;
}

static void erase_pages(struct mdp_root *r, u8 level, unsigned long first, unsigned long last)
{
	struct xarray *xa = &r->snap[level - 1];
	struct mdp_snap_page *p;
	unsigned long key;

	xa_for_each_range(xa, key, p, first, last) {
		p = xa_erase(xa, key);
		if (p)
			page_free(r->mm, p);
	}
}

void mdp_snap_clear(struct mdp_root *r)
{
	u8 level;

	for (level = 1; level <= EPT12_LEVELS; level++)
		erase_pages(r, level, 0, ULONG_MAX);
}

/* Drop the entry of @level for @l2gpa and all that hangs off it; (L) for writing. */
static void drop_entry(struct mdp_root *r, u64 l2gpa, u8 level, struct pt_gather *g)
{
	u64 start = l2gpa & ~(pt_level_size(level) - 1);
	u64 end = start + pt_level_size(level);
	struct mdp_snap_page *p = xa_load(&r->snap[level - 1], place(l2gpa, level));
	u8 below;

	WRITE_ONCE(r->gen, r->gen + 1);
	pt_zap(&r->pt, start, end, g);
	if (p)
		p->entry[slot_of(l2gpa, level)] = 0;
	for (below = 1; below < level; below++)
		erase_pages(r, below, place(start, below), place(end - 1, below));
}

static void drop_locked(struct mdp_root *r, u64 l2gpa, u8 level)
{
	struct pt_gather g;

	mm_gather_init(r->mm, &g);
	write_lock(&r->mm->lock);
	if (level > EPT12_LEVELS)
		mdp_root_empty(r, &g);
	else
		drop_entry(r, l2gpa, level, &g);
	pt_gather_finish(&g);
	write_unlock(&r->mm->lock);
}

/* False: the place has a different value, from which something may be composed. */
static bool record_entry(u64 *sp, u64 value)
{
	u64 was;

	do {
		was = READ_ONCE(*sp);
		if (was == value)
			return true;
		if (was && differs(was, value))
			return false;
	} while (cmpxchg(sp, was, value) != was);
	return true;
}

/*
 * With (L) for reading. -ENOENT: a page is missing at *@level; -EAGAIN: what hangs off the
 * entry of *@level must be dropped.
 */
static int record_path(struct mdp_root *r, u64 l2gpa, const struct ept12_result *e, u8 *level)
{
	for (*level = EPT12_LEVELS; *level >= e->level; (*level)--) {
		struct mdp_snap_page *p = xa_load(&r->snap[*level - 1], place(l2gpa, *level));

		if (!p)
			return -ENOENT;
		if (p->gpa != e->tables[*level - 1]) {
			(*level)++;
			return -EAGAIN;
		}
		if (!record_entry(&p->entry[slot_of(l2gpa, *level)], e->entries[*level - 1]))
			return -EAGAIN;
	}
	return 0;
}

static int add_page(struct mdp_root *r, u64 l2gpa, const struct ept12_result *e, u8 level)
{
	struct mdp_snap_page *p = page_new(r->mm, e->tables[level - 1]);
	void *was;

	if (!p)
		return -ENOMEM;
	was = xa_cmpxchg(&r->snap[level - 1], place(l2gpa, level), NULL, p, GFP_KERNEL_ACCOUNT);
	if (was)
		page_free(r->mm, p);
	return xa_is_err(was) ? -ENOMEM : 0;
}

int mdp_snap_record(struct mdp_root *r, u64 l2gpa, const struct ept12_result *ept12)
{
	int tries, ret;
	u8 level;

	for (tries = 0; tries < RECORD_TRIES; tries++) {
		read_lock(&r->mm->lock);
		ret = record_path(r, l2gpa, ept12, &level);
		read_unlock(&r->mm->lock);
		if (ret != -ENOENT)
			break;
		ret = add_page(r, l2gpa, ept12, level);
		if (ret)
			return ret;
		ret = -EAGAIN;
	}
	if (ret == -EAGAIN && tries < RECORD_TRIES)
		drop_locked(r, l2gpa, level);
	return ret;
}

/* Entries found to differ, each with the level it stands on. */
struct changes {
	unsigned int n;
	bool all;
	u64 l2gpa[MAX_CHANGES];
	u8 level[MAX_CHANGES];
};

static bool covered(const struct changes *c, u64 l2gpa)
{
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (!((c->l2gpa[i] ^ l2gpa) & ~(pt_level_size(c->level[i]) - 1)))
			return true;
	return false;
}

static void add_change(struct changes *c, u64 l2gpa, u8 level)
{
	if (c->n == MAX_CHANGES) {
		c->all = true;
		return;
	}
	c->l2gpa[c->n] = l2gpa;
	c->level[c->n] = level;
	c->n++;
}

/* Compare a page of L1, or its absence (@now NULL), with what was used of it. */
static void compare_page(struct mdp_root *r, u8 level, unsigned long key, u64 gpa, const u64 *now,
			 struct changes *c)
{
	u64 base = (u64)key << (12 + 9 * level);
	struct mdp_snap_page *p;
	unsigned int i;

	read_lock(&r->mm->lock);
	p = xa_load(&r->snap[level - 1], key);
	for (i = 0; p && p->gpa == gpa && i < PT_ENTRIES && !c->all; i++) {
		u64 was = READ_ONCE(p->entry[i]);

		if (was && (!now || differs(was, now[i])))
			add_change(c, base + i * pt_level_size(level), level);
	}
	read_unlock(&r->mm->lock);
}

/* The first page at or after *@key that no change found so far will take away. */
static bool next_page(struct mdp_root *r, u8 level, const struct changes *c, unsigned long *key,
		      u64 *gpa)
{
	struct mdp_snap_page *p;

	read_lock(&r->mm->lock);
	p = xa_find(&r->snap[level - 1], key, ULONG_MAX, XA_PRESENT);
	while (p && covered(c, (u64)*key << (12 + 9 * level)))
		p = xa_find_after(&r->snap[level - 1], key, ULONG_MAX, XA_PRESENT);
	if (p)
		*gpa = p->gpa;
	read_unlock(&r->mm->lock);
	return p;
}

/* From the top, so that what hangs off a changed entry need not be looked at. */
static void find_changes(struct mdp_root *r, u64 *buf, struct changes *c)
{
	unsigned long key;
	u8 level;
	u64 gpa;

	for (level = EPT12_LEVELS; level && !c->all; level--) {
		for (key = 0; !c->all && next_page(r, level, c, &key, &gpa); key++) {
			bool ok = !vm_read_guest(r->mm->vm, gpa, buf, PAGE_SIZE);

			compare_page(r, level, key, gpa, ok ? buf : NULL, c);
			cond_resched();
		}
	}
}

void mdp_snap_compare(struct mdp_root *r)
{
	struct vm_mm *mm = r->mm;
	struct changes *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	u64 *buf = (u64 *)__get_free_page(GFP_KERNEL_ACCOUNT);
	struct pt_gather g;
	unsigned int i;

	write_lock(&mm->lock);
	WRITE_ONCE(r->gen, r->gen + 1);
	write_unlock(&mm->lock);

	if (c && buf)
		find_changes(r, buf, c);
	if (!c || !buf || c->n) {
		mm_gather_init(mm, &g);
		write_lock(&mm->lock);
		if (!c || !buf || c->all)
			mdp_root_empty(r, &g);
		for (i = 0; c && !c->all && i < c->n; i++)
			drop_entry(r, c->l2gpa[i], c->level[i], &g);
		pt_gather_finish(&g);
		write_unlock(&mm->lock);
	}
	free_page((unsigned long)buf);
	kfree(c);
}
