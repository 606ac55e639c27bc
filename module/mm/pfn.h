/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's page behind a guest frame. No reference outlives the call that
 * asked: the MMU notifier takes mappings away before the host takes the page.
 * Internal to mm/.
 */
#ifndef TURTLES_MM_PFN_H
#define TURTLES_MM_PFN_H

#include <linux/types.h>
#include "mm/mdp_compose.h"
#include "mm/slots.h"
#include "mm/vm_mm.h"

/**
 * struct gfn_page - a frame on its way into a tree
 * @seq:	vm_mm.inv_seq before the host was asked
 * @page:	holds a reference, NULL for memory without one (VM_PFNMAP)
 * @write:	slot and host mapping allow writes
 */
struct gfn_page {
	struct memslot *slot;
	u64 gfn;
	unsigned long hva;
	unsigned long seq;
	u64 pfn;
	struct page *page;
	bool write;
	bool uc;
};

/**
 * gfn_page_get - find slot and host page of @gfn in address space @as
 * Caller is in vm->srcu, and stays there as long as it uses @p; sleeps.
 * MM_MAPPED: @p is filled, gfn_page_put() it. Else why there is none.
 */
enum mm_fault_result gfn_page_get(struct vm *vm, unsigned int as, u64 gfn, u32 access,
				  struct gfn_page *p);
void gfn_page_put(struct gfn_page *p);

/* The host took something away since gfn_page_get(); vm_mm.lock held. */
bool gfn_page_stale(const struct vm_mm *mm, const struct gfn_page *p);
/* What may be mapped around it. A hint without vm_mm.lock, true with it. */
void gfn_page_grant(struct vm_mm *mm, const struct gfn_page *p, struct host_grant *grant);
/* Note the coming use: dirty log and host page flags; vm_mm.lock held. */
void gfn_page_commit(struct gfn_page *p, bool write);

/**
 * mm_install - put @p into @pt at @addr
 * @ept12:	EPT12's part of the composition, NULL in the tdp
 * @max_level:	no leaf larger than this
 * @gen, @gen_was: give up (MM_RETRY) when *@gen is not @gen_was; @gen may be NULL
 */
enum mm_fault_result mm_install(struct vm_mm *mm, struct pt *pt, u64 addr,
				const struct ept12_result *ept12, struct gfn_page *p, u32 access,
				u8 max_level, const unsigned long *gen, unsigned long gen_was);

#endif /* TURTLES_MM_PFN_H */
