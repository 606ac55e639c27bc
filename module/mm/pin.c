// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames that hardware reads by host address: L1's virtual-APIC and APIC-access pages
 * in vmcs02. Called by nested VMX. No reference is held; when the host takes
 * the page, the vCPUs leave the guest and ask again before they come back.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include "mm/pfn.h"
#include "mm/vm_mm.h"
#include "vcpu/vcpu.h"

#define PIN_TRIES 64

/* Constant but for @link, which is under vm_mm.pin_lock. */
struct pin {
	struct list_head link;
	u64 gfn;
};

void mm_drop_pins(struct vm_mm *mm, u64 start, u64 end)
{
	struct pin *p;
	bool hit = false;

	spin_lock(&mm->pin_lock);
	list_for_each_entry(p, &mm->pins, link)
		hit |= p->gfn >= start && p->gfn < end;
	spin_unlock(&mm->pin_lock);
	if (hit)
		vm_request_all(mm->vm, REQ_L2_PAGES);
}

/* Enter @pin into the list, unless the page was taken away meanwhile. */
static bool pin_locked(struct vm_mm *mm, struct gfn_page *page, struct pin *pin)
{
	bool ok;

	read_lock(&mm->lock);
	ok = !gfn_page_stale(mm, page);
	if (ok) {
		gfn_page_commit(page, true);
		spin_lock(&mm->pin_lock);
		list_add(&pin->link, &mm->pins);
		spin_unlock(&mm->pin_lock);
	}
	read_unlock(&mm->lock);
	return ok;
}

u64 mm_pin_gfn(struct vcpu *v, u64 gfn, void **ref)
{
	struct vm *vm = v->vm;
	struct pin *pin = kzalloc(sizeof(*pin), GFP_KERNEL_ACCOUNT);
	u64 hpa = 0;
	int tries, idx;

	*ref = NULL;
	if (!pin)
		return 0;
	pin->gfn = gfn;
	idx = srcu_read_lock(&vm->srcu);
	for (tries = 0; tries < PIN_TRIES && !hpa; tries++) {
		struct gfn_page page = { 0 };
		enum mm_fault_result res = gfn_page_get(vm, 0, gfn, EPT_ACC_WRITE, &page);

		if (res == MM_MAPPED && pin_locked(vm->mm, &page, pin))
			hpa = page.pfn << PAGE_SHIFT;
		gfn_page_put(&page);
		if (res != MM_MAPPED && res != MM_RETRY)
			break;
		cond_resched();
	}
	srcu_read_unlock(&vm->srcu, idx);
	if (hpa)
		*ref = pin;
	else
		kfree(pin);
	return hpa;
}

void mm_unpin_gfn(struct vcpu *v, void *ref, bool dirty)
{
	struct vm_mm *mm = v->vm->mm;
	struct pin *pin = ref;
	int idx;

	if (!pin)
		return;
	spin_lock(&mm->pin_lock);
	list_del(&pin->link);
	spin_unlock(&mm->pin_lock);
	if (dirty) {
		idx = srcu_read_lock(&v->vm->srcu);
		vm_mark_dirty(v->vm, pin->gfn);
		srcu_read_unlock(&v->vm->srcu, idx);
	}
	kfree(pin);
}
