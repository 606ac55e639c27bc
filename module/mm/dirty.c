// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: a bitmap per slot, filled by write faults of L1 and L2 and by
 * L0's own writes, read by KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG. Called by
 * api/ and memslot.c.
 *
 * A set bit and a write right come together: a page loses the write right in
 * the same critical section in which its bit is cleared, and gets it back only
 * after the bit is set (pfn.c).
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "mm/slots.h"
#include "mm/vm_mm.h"
#include "vcpu/vcpu.h"

#define CHUNK_WORDS 64 /* of the bitmap per turn under the lock */

int slot_alloc_dirty(struct memslot *s, bool all_set)
{
	size_t words = BITS_TO_LONGS(s->npages);

	s->dirty = kvcalloc(words, sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!s->dirty)
		return -ENOMEM;
	if (all_set)
		bitmap_set(s->dirty, 0, s->npages);
	return 0;
}

/* With INITIALLY_SET every page counts as dirty until it is cleared by name. */
void slot_start_logging(struct vm *vm, struct memslot *s)
{
	struct vm_mm *mm = vm->mm;

	if (vm->dirty_protect_flags & KVM_DIRTY_LOG_INITIALLY_SET)
		return;
	write_lock(&mm->lock);
	if (mm_write_protect_gfns(mm, s->as, s->base_gfn, s->base_gfn + s->npages))
		vm_request_all(vm, REQ_TLB_FLUSH);
	write_unlock(&mm->lock);
}

void slot_mark_dirty(struct memslot *s, u64 gfn)
{
	if (s->dirty && !test_bit(gfn - s->base_gfn, s->dirty))
		set_bit(gfn - s->base_gfn, s->dirty);
}

void vm_mark_dirty(struct vm *vm, u64 gfn)
{
	struct memslot *s = vm_slot(vm, 0, gfn);

	if (s)
		slot_mark_dirty(s, gfn);
}

/* Take the write right from the pages of @mask, page 0 of which is @gfn. */
static bool protect_word(struct vm_mm *mm, unsigned int as, u64 gfn, unsigned long mask)
{
	bool changed = false;

	while (mask) {
		unsigned int first = __ffs(mask);
		unsigned long rest = ~(mask >> first);
		unsigned int run = rest ? __ffs(rest) : BITS_PER_LONG - first;

		changed |= mm_write_protect_gfns(mm, as, gfn + first, gfn + first + run);
		mask &= first + run < BITS_PER_LONG ? ~0UL << (first + run) : 0;
	}
	return changed;
}

/*
 * Clear the bits of @mask[] in @n words from word @at, and protect those pages that
 * were dirty. @old[] gets what the log said of them.
 */
static bool clear_words(struct vm_mm *mm, struct memslot *s, size_t at, unsigned int n,
			const unsigned long *mask, unsigned long *old)
{
	bool changed = false;
	unsigned int i;

	write_lock(&mm->lock);
	for (i = 0; i < n; i++) {
		unsigned long m = mask ? mask[i] : ~0UL;

		old[i] = 0;
		if (!m || !s->dirty[at + i])
			continue;
		old[i] = m & atomic_long_fetch_andnot(m, (atomic_long_t *)&s->dirty[at + i]);
		changed |= protect_word(mm, s->as, s->base_gfn + (at + i) * BITS_PER_LONG, old[i]);
	}
	write_unlock(&mm->lock);
	return changed;
}

static int logged_slot(struct vm *vm, u32 id, struct memslot **s)
{
	int ret = vm_slot_by_id(vm, id, s);

	if (ret)
		return ret;
	return *s && (*s)->dirty ? 0 : -ENOENT;
}

static int get_log(struct vm *vm, struct memslot *s, void __user *to)
{
	bool clear = !(vm->dirty_protect_flags & KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	size_t words = BITS_TO_LONGS(s->npages);
	unsigned long old[CHUNK_WORDS];
	bool flush = false;
	int ret = 0;
	size_t at;

	for (at = 0; at < words && !ret; at += CHUNK_WORDS) {
		unsigned int n = min_t(size_t, CHUNK_WORDS, words - at);

		if (clear)
			flush |= clear_words(vm->mm, s, at, n, NULL, old);
		else
			memcpy(old, &s->dirty[at], n * sizeof(long));
		if (copy_to_user(to + at * sizeof(long), old, n * sizeof(long)))
			ret = -EFAULT;
		cond_resched();
	}
	/* Before user space reads the pages, no write may go unseen. */
	if (flush)
		vm_request_all(vm, REQ_TLB_FLUSH);
	return ret;
}

int vm_get_dirty_log(struct vm *vm, const struct kvm_dirty_log *log)
{
	struct memslot *s;
	int ret;

	mutex_lock(&vm->slots_lock);
	ret = logged_slot(vm, log->slot, &s);
	if (!ret)
		ret = get_log(vm, s, log->dirty_bitmap);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

static int clear_log(struct vm *vm, struct memslot *s, u64 first, u64 pages,
		     const void __user *from)
{
	size_t words = BITS_TO_LONGS(pages);
	unsigned long mask[CHUNK_WORDS], old[CHUNK_WORDS];
	bool flush = false;
	int ret = 0;
	size_t at;

	for (at = 0; at < words; at += CHUNK_WORDS) {
		unsigned int n = min_t(size_t, CHUNK_WORDS, words - at);

		if (copy_from_user(mask, from + at * sizeof(long), n * sizeof(long))) {
			ret = -EFAULT;
			break;
		}
		/* Bits past the end of the range are not ours to look at. */
		if (at + n == words && pages % BITS_PER_LONG)
			mask[n - 1] &= (1UL << (pages % BITS_PER_LONG)) - 1;
		flush |= clear_words(vm->mm, s, first / BITS_PER_LONG + at, n, mask, old);
		cond_resched();
	}
	if (flush)
		vm_request_all(vm, REQ_TLB_FLUSH);
	return ret;
}

int vm_clear_dirty_log(struct vm *vm, const struct kvm_clear_dirty_log *log)
{
	struct memslot *s;
	u64 left;
	int ret;

	if (log->first_page % BITS_PER_LONG)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	ret = logged_slot(vm, log->slot, &s);
	if (ret)
		goto out;
	ret = -EINVAL;
	if (log->first_page > s->npages)
		goto out;
	left = s->npages - log->first_page;
	if (log->num_pages > left || (log->num_pages < left && log->num_pages % BITS_PER_LONG))
		goto out;
	ret = clear_log(vm, s, log->first_page, log->num_pages, log->dirty_bitmap);
out:
	mutex_unlock(&vm->slots_lock);
	return ret;
}
