/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct vm_mm: everything mm/ keeps for one VM. Internal to mm/.
 * Who may touch what under which lock is told in docs/locking.md, "mm".
 */
#ifndef TURTLES_MM_VM_MM_H
#define TURTLES_MM_VM_MM_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/rbtree.h>
#include <linux/rwlock.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>
#include "mm/mm.h"
#include "mm/pt.h"
#include "mm/slots.h"

struct mdp_root;

/**
 * struct vm_mm - second-level translation state of a VM
 * @lock:	(L) readers install entries side by side, a writer removes them
 * @slots:	by address space; published under vm->slots_lock, read under vm->srcu
 * @slots_by_id: of all address spaces; vm->slots_lock
 * @nr_pages:	pages in the slots of address space 0; vm->slots_lock, read freely
 * @hva_tree:	(L) all slots by user address, for the MMU notifier
 * @inv_seq:	(L) grows whenever something was invalidated
 * @inv_count:	(L) invalidations in progress; their union is [inv_start, inv_end)
 * @tdp:	by address space: gpa to hpa; entries (L). Composed trees and pins are of address
 *		space 0: there is no VMX operation in SMM
 * @mdp_roots:	(L) composed trees, most recently entered first
 * @nr_plain_roots: (L) how many of them have no accessed flags
 * @pins:	@pin_lock; frames whose hpa some vCPU has given to hardware
 * @nx_large:	constant: large leaves may not be executable
 * @bytes:	of page tables, indices and snapshots
 */
struct vm_mm {
	struct vm *vm;
	rwlock_t lock;

	struct slot_set __rcu *slots[MM_NR_AS];
	struct xarray slots_by_id;
	u64 nr_pages;
	struct rb_root_cached hva_tree;

	struct mmu_notifier notifier;
	unsigned long inv_seq;
	unsigned int inv_count;
	unsigned long inv_start, inv_end;

	struct pt tdp[MM_NR_AS];
	struct list_head mdp_roots;
	unsigned int nr_mdp_roots;
	unsigned int nr_plain_roots;

	spinlock_t pin_lock;
	struct list_head pins;

	bool nx_large;
	atomic_long_t bytes;
};

/* mm/mm.c: table pages */
u64 *mm_table_alloc(struct vm_mm *mm);
void mm_table_free(void *mm, u64 *table);
bool pt_cache_fill(struct vm_mm *mm, struct pt_cache *c, u8 levels);
void pt_cache_drain(struct vm_mm *mm, struct pt_cache *c);

/* mm/mm.c: take the frames [start, end) from every tree and pin; lock held for writing. */
bool mm_zap_gfns(struct vm_mm *mm, unsigned int as, u64 start, u64 end, struct pt_gather *g);
bool mm_write_protect_gfns(struct vm_mm *mm, unsigned int as, u64 start, u64 end);
/* Were they used? Lock held for reading. */
bool mm_age_gfns(struct vm_mm *mm, unsigned int as, u64 start, u64 end, bool clear);
/* A gather whose sync is vm_request_all(REQ_TLB_FLUSH). */
void mm_gather_init(struct vm_mm *mm, struct pt_gather *g);
/* mm/mm.c: vCPUs holding a pin of [start, end) ask again before they run on. */
void mm_drop_pins(struct vm_mm *mm, u64 start, u64 end);

/* mm/notifier.c */
int mm_notifier_register(struct vm_mm *mm);
void mm_notifier_unregister(struct vm_mm *mm);

/* mm/tdp.c */
enum mm_fault_result tdp_fault(struct vm *vm, unsigned int as, u64 gpa, u32 access);

#endif /* TURTLES_MM_VM_MM_H */
