// SPDX-License-Identifier: GPL-2.0-only
/*
 * Installs a frame in a tree: the critical section that every second-level fault
 * ends in. Called by tdp.c and mdp.c; pin.c uses its test. It must not know how the
 * frame was found.
 */
#include <linux/compiler.h>
#include <linux/kernel.h>
#include "mm/pfn.h"
#include "mm/vm_mm.h"
#include "vcpu/vcpu.h"

bool gfn_page_stale(const struct vm_mm *mm, const struct gfn_page *p)
{
	if (mm->inv_count && p->hva >= mm->inv_start && p->hva < mm->inv_end)
		return true;
	return READ_ONCE(mm->inv_seq) != p->seq;
}

/* One try under the lock; false when tables are needed first. */
static bool install_locked(struct vm_mm *mm, struct pt *pt, struct pt_cache *cache, u64 addr,
			   const struct ept12_result *ept12, struct gfn_page *p, u32 access,
			   u8 max_level)
{
	struct host_grant grant;
	struct pt_leaf leaf;
	bool flush = false;
	enum pt_status st;

	gfn_page_grant(mm, p, &grant);
	grant.max_level = min(grant.max_level, max_level);
	mm_compose(ept12, &grant, access, &leaf);
	/* The log must know of the page before the first write can happen. */
	gfn_page_commit(p, leaf.write);
	st = pt_map(pt, cache, addr, &leaf, &flush);
	if (flush)
		vm_request_all(mm->vm, REQ_TLB_FLUSH);
	return st != PT_NEED_TABLES;
}

enum mm_fault_result mm_install(struct vm_mm *mm, struct pt *pt, u64 addr,
				const struct ept12_result *ept12, struct gfn_page *p, u32 access,
				u8 max_level, const unsigned long *gen, unsigned long gen_was)
{
	enum mm_fault_result res = MM_RETRY;
	struct pt_cache cache = { .n = 0 };

	for (;;) {
		bool done = true;

		read_lock(&mm->lock);
		if (!gfn_page_stale(mm, p) && (!gen || READ_ONCE(*gen) == gen_was)) {
			done = install_locked(mm, pt, &cache, addr, ept12, p, access, max_level);
			res = MM_MAPPED;
		} else {
			res = MM_RETRY;
		}
		read_unlock(&mm->lock);
		if (done)
			break;
		if (!pt_cache_fill(mm, &cache, pt->fmt->levels)) {
			res = MM_NOMEM;
			break;
		}
	}
	pt_cache_drain(mm, &cache);
	return res;
}
