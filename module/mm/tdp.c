// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two-dimensional paging: gpa to hpa, the tree L1 runs on (and an L2 without EPT), one for
 * each address space.
 * Called by mm_fault(). Faults of different vCPUs run side by side: the lock is
 * held for reading, and each entry is installed with one compare-and-exchange.
 */
#include <linux/mm.h>
#include <linux/srcu.h>
#include "mm/pfn.h"
#include "mm/vm_mm.h"
#include "vcpu/vcpu.h"

/*
 * A write to a page that is only write-protected for the dirty log: the entry says
 * that the host allows it, and would be gone if that had changed.
 */
static bool rewrite(struct vm_mm *mm, struct pt *tdp, struct memslot *s, u64 gpa)
{
	u64 gfn = gpa >> PAGE_SHIFT;
	bool done = false;
	u8 level;
	u64 e;

	read_lock(&mm->lock);
	e = READ_ONCE(*pt_lookup(tdp, gpa, &level));
	if (level == 1 && pt_present(tdp->fmt, e) && (e & tdp->fmt->sw0)) {
		/* The log first: the guest may write as soon as the entry says so. */
		slot_mark_dirty(s, gfn);
		done = pt_make_writable(tdp, gpa);
	}
	read_unlock(&mm->lock);
	return done;
}

/* Caller is in vm->srcu. */
enum mm_fault_result tdp_fault(struct vm *vm, unsigned int as, u64 gpa, u32 access)
{
	struct vm_mm *mm = vm->mm;
	struct pt *tdp = &mm->tdp[as];
	struct gfn_page page = { 0 };
	enum mm_fault_result res;
	struct memslot *s;

	if (gpa >= pt_end(tdp))
		return MM_MMIO;
	s = vm_slot(vm, as, gpa >> PAGE_SHIFT);
	if (s && s->dirty && (access & (EPT_ACC_WRITE | EPT_ACC_FETCH)) == EPT_ACC_WRITE &&
	    !(s->flags & KVM_MEM_READONLY) && rewrite(mm, tdp, s, gpa))
		return MM_MAPPED;

	res = gfn_page_get(vm, as, gpa >> PAGE_SHIFT, access, &page);
	if (res != MM_MAPPED)
		return res;
	res = mm_install(mm, tdp, gpa, NULL, &page, access, PT_MAX_LEVELS, NULL, 0);
	gfn_page_put(&page);
	return res;
}
