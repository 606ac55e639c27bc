/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory slots: which user memory stands behind which guest frames.
 *
 * A struct slot_set is never changed once it is published in vm_mm.slots: every
 * change builds a new one under vm->slots_lock, publishes it, and waits for the
 * readers of the old one (vm->srcu). Each address space has its own. Internal to mm/.
 */
#ifndef TURTLES_MM_SLOTS_H
#define TURTLES_MM_SLOTS_H

#include <linux/interval_tree.h>
#include <linux/types.h>

struct vm;
struct vm_mm;

/**
 * struct memslot - all but @dirty's bits and @hva_node are constant
 * @id:		as user space gave it, with the address space in the upper half
 * @as:		address space
 * @dirty:	a bit per page while KVM_MEM_LOG_DIRTY_PAGES is set, else NULL; bits are
 *		changed atomically by anyone in vm->srcu
 * @hva_node:	in vm_mm.hva_tree, under vm_mm.lock
 */
struct memslot {
	u64 base_gfn;
	u64 npages;
	unsigned long hva;
	u32 id;
	u32 flags;
	u8 as;
	unsigned long *dirty;
	struct interval_tree_node hva_node;
};

/* Sorted by base_gfn, without overlaps. */
struct slot_set {
	unsigned int n;
	struct memslot *slot[];
};

/* Reader holds vm->srcu or vm->slots_lock. */
struct memslot *vm_slot(struct vm *vm, unsigned int as, u64 gfn);

static inline unsigned long slot_hva(const struct memslot *s, u64 gfn)
{
	return s->hva + ((gfn - s->base_gfn) << 12);
}

void slot_mark_dirty(struct memslot *s, u64 gfn);

/* mm/dirty.c */
int slot_alloc_dirty(struct memslot *s, bool all_set);
void slot_start_logging(struct vm *vm, struct memslot *s);

/* mm/memslot.c: by id, under vm->slots_lock; -EINVAL for an impossible id */
int vm_slot_by_id(struct vm *vm, u32 id, struct memslot **s);
void vm_slots_destroy(struct vm *vm);

#endif /* TURTLES_MM_SLOTS_H */
