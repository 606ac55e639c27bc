// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MMU notifier: what the host does to the user mapping takes effect on every
 * second-level tree before the host goes on. Runs in whatever thread changes the
 * address space, under locks of mm; it may not allocate and does not sleep.
 */
#include <linux/mmu_notifier.h>
#include "linux/compat.h"
#include "mm/mdp.h"
#include "mm/vm_mm.h"
#include "vcpu/vcpu.h"

static struct vm_mm *of(struct mmu_notifier *n)
{
	return container_of(n, struct vm_mm, notifier);
}

/* Frames of @s behind the user addresses [start, end). */
static void hva_to_gfns(const struct memslot *s, unsigned long start, unsigned long end, u64 *first,
			u64 *last)
{
	unsigned long from = max(start, s->hva);
	unsigned long to = min(end, s->hva + (s->npages << PAGE_SHIFT));

	*first = s->base_gfn + ((from - s->hva) >> PAGE_SHIFT);
	*last = s->base_gfn + ((to - s->hva + PAGE_SIZE - 1) >> PAGE_SHIFT);
}

#define for_each_slot_in(mm, node, start, end)                                             \
	for ((node) = interval_tree_iter_first(&(mm)->hva_tree, (start), (end)-1); (node); \
	     (node) = interval_tree_iter_next((node), (start), (end)-1))

/* Take what maps [start, end) away and flush; says whether there was anything. */
static bool zap_hva(struct vm_mm *mm, unsigned long start, unsigned long end)
{
	struct interval_tree_node *node;
	struct pt_gather g;
	bool found = false;

	mm_gather_init(mm, &g);
	for_each_slot_in(mm, node, start, end)
	{
		const struct memslot *s = container_of(node, struct memslot, hva_node);
		u64 first, last;

		hva_to_gfns(s, start, end, &first, &last);
		found |= mm_zap_gfns(mm, s->as, first, last, &g);
	}
	pt_gather_finish(&g);
	return found;
}

static int invalidate_start(struct mmu_notifier *n, const struct mmu_notifier_range *range)
{
	struct vm_mm *mm = of(n);

	write_lock(&mm->lock);
	if (!mm->inv_count++) {
		mm->inv_start = range->start;
		mm->inv_end = range->end;
	} else {
		mm->inv_start = min(mm->inv_start, range->start);
		mm->inv_end = max(mm->inv_end, range->end);
	}
	zap_hva(mm, range->start, range->end);
	write_unlock(&mm->lock);
	return 0;
}

static void invalidate_end(struct mmu_notifier *n, const struct mmu_notifier_range *range)
{
	struct vm_mm *mm = of(n);

	write_lock(&mm->lock);
	WRITE_ONCE(mm->inv_seq, mm->inv_seq + 1);
	mm->inv_count--;
	write_unlock(&mm->lock);
}

static bool age_hva(struct vm_mm *mm, unsigned long start, unsigned long end, bool clear)
{
	struct interval_tree_node *node;
	bool young = false;

	for_each_slot_in(mm, node, start, end)
	{
		const struct memslot *s = container_of(node, struct memslot, hva_node);
		u64 first, last;

		hva_to_gfns(s, start, end, &first, &last);
		young |= mm_age_gfns(mm, s->as, first, last, clear);
	}
	return young;
}

/*
 * Where the hardware keeps no accessed bits a mapping counts as used, and is dropped to learn
 * of the next use. Composed trees are dropped altogether: some have the bits, some not.
 */
static bool age_by_zapping(struct vm_mm *mm, unsigned long start, unsigned long end)
{
	struct interval_tree_node *node;
	struct pt_gather g;
	bool young = false;

	if (!mm->tdp[0].fmt->accessed)
		return zap_hva(mm, start, end);
	mm_gather_init(mm, &g);
	WRITE_ONCE(mm->inv_seq, mm->inv_seq + 1);
	for_each_slot_in(mm, node, start, end)
	{
		const struct memslot *s = container_of(node, struct memslot, hva_node);
		u64 first, last;

		hva_to_gfns(s, start, end, &first, &last);
		young |= pt_age(&mm->tdp[s->as], first << PAGE_SHIFT, last << PAGE_SHIFT, true);
		if (!s->as)
			young |= mdp_zap_gfns(mm, first, last, &g);
	}
	pt_gather_finish(&g);
	return young;
}

/* Was [start, end) used since it was last asked and cleared? */
static bool test_age(struct vm_mm *mm, unsigned long start, unsigned long end, bool clear)
{
	bool young;

	if (clear && (!mm->tdp[0].fmt->accessed || READ_ONCE(mm->nr_plain_roots))) {
		write_lock(&mm->lock);
		young = age_by_zapping(mm, start, end);
		write_unlock(&mm->lock);
	} else {
		read_lock(&mm->lock);
		young = age_hva(mm, start, end, clear);
		read_unlock(&mm->lock);
	}
	return young;
}

/* No flush: an accessed bit that stays cached only makes the page look older. */
static compat_young_t clear_young(struct mmu_notifier *n, struct mm_struct *user,
				  unsigned long start, unsigned long end)
{
	return test_age(of(n), start, end, true);
}

static compat_young_t clear_flush_young(struct mmu_notifier *n, struct mm_struct *user,
					unsigned long start, unsigned long end)
{
	bool young = test_age(of(n), start, end, true);

	if (young)
		vm_request_all(of(n)->vm, REQ_TLB_FLUSH);
	return young;
}

static compat_young_t test_young(struct mmu_notifier *n, struct mm_struct *user, unsigned long addr)
{
	return test_age(of(n), addr, addr + PAGE_SIZE, false);
}

/* The address space dies; its threads are gone, so no vCPU can fault any more. */
static void release(struct mmu_notifier *n, struct mm_struct *user)
{
	struct vm_mm *mm = of(n);

	write_lock(&mm->lock);
	zap_hva(mm, 0, TASK_SIZE_MAX);
	write_unlock(&mm->lock);
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start = invalidate_start,
	.invalidate_range_end = invalidate_end,
	.clear_flush_young = clear_flush_young,
	.clear_young = clear_young,
	.test_young = test_young,
	.release = release,
};

/* Process context of the VM's creator. */
int mm_notifier_register(struct vm_mm *mm)
{
	mm->notifier.ops = &notifier_ops;
	return mmu_notifier_register(&mm->notifier, mm->vm->mm_user);
}

void mm_notifier_unregister(struct vm_mm *mm)
{
	mmu_notifier_unregister(&mm->notifier, mm->vm->mm_user);
}
