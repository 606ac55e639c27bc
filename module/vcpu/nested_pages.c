// SPDX-License-Identifier: GPL-2.0-only
/*
 * L1's pages that the hardware reads by host address while L2 runs: the virtual-APIC page and
 * the APIC-access page; and its MSR bitmap, of which L0 reads a copy.
 *
 * A page stays pinned from one entry to the next, as long as L1 names the same one. When the
 * host takes it away REQ_L2_PAGES makes the vCPU ask again before it enters.
 */
#include <linux/kernel.h>
#include <asm/vmx.h>

#include "mm/mm.h"
#include "nested/check.h"
#include "vcpu/nested_int.h"

static void unpin(struct vcpu *v, struct nested_pin *pin)
{
	if (pin->ref)
		mm_unpin_gfn(v, pin->ref, pin->dirty);
	pin->ref = NULL;
	pin->hpa = 0;
}

/* Host address of L1's page at @gpa, or 0: not wanted, or not backed by memory. */
static u64 pin_page(struct vcpu *v, struct nested_pin *pin, bool wanted, u64 gpa, bool dirty)
{
	if (!wanted)
		return 0;
	if (pin->ref && pin->gpa == gpa)
		return pin->hpa;
	unpin(v, pin);
	pin->gpa = gpa;
	pin->dirty = dirty;
	pin->hpa = mm_pin_gfn(v, gpa >> PAGE_SHIFT, &pin->ref);
	return pin->hpa;
}

/* What the backend looks at of L1's MSR bitmap; false if it is not in memory. */
static bool read_msr_bitmap(struct vcpu *v)
{
	static const struct msr_bitmap_part all[] = { { 0, PAGE_SIZE }, {} };
	const struct msr_bitmap_part *p = hw->msr_bitmap_parts ?: all;
	struct vcpu_nested *n = v->nested;

	if (n->bitmap_clean)
		return true;
	n->bitmap_read = false;
	for (; p->len; p++)
		if (vm_read_guest(v->vm, n->vmcs12->msr_bitmap + p->offset,
				  n->msr_bitmap + p->offset, p->len))
			return false;
	n->bitmap_read = true;
	return true;
}

/**
 * nested_set_pages - tell the backend where L1's pages are
 * @v: the vCPU, in L2; vm->srcu held; may sleep
 *
 * A virtual-APIC page that cannot be had is left out: the backend then makes accesses to CR8 exit.
 * Return: RESUME_GUEST; EXIT_TO_USER when there is no APIC-access page.
 */
int nested_set_pages(struct vcpu *v)
{
	struct vcpu_nested *n = v->nested;
	const struct vmcs12 *m = n->vmcs12;
	struct l2_pages pages = {};

	if (!hw->l2_set_pages)
		return RESUME_GUEST;
	if (proc_has(m, CPU_BASED_USE_MSR_BITMAPS) && read_msr_bitmap(v))
		pages.msr_bitmap = n->msr_bitmap;
	pages.vapic_hpa = pin_page(v, &n->vapic, proc_has(m, CPU_BASED_TPR_SHADOW),
				   m->virtual_apic_page_addr, true);
	pages.apic_access_hpa = pin_page(v, &n->apic_access,
					 proc2_has(m, SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES),
					 m->apic_access_addr, false);
	if (unlikely(!pages.apic_access_hpa &&
		     proc2_has(m, SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES))) {
		/*
		 * L2's accesses there are to exit, and L0 cannot tell them from others. Before the
		 * backend hears of it: it would switch the control off for good.
		 */
		vcpu_request(v, REQ_L2_PAGES);
		return vcpu_internal_error(v, KVM_INTERNAL_ERROR_EMULATION);
	}
	hw->l2_set_pages(v, &pages);
	return RESUME_GUEST;
}

/* REQ_L2_PAGES: some pinned page is gone. */
int nested_reload_pages(struct vcpu *v)
{
	nested_unpin_pages(v);
	return v->in_l2 ? nested_set_pages(v) : RESUME_GUEST;
}

void nested_unpin_pages(struct vcpu *v)
{
	unpin(v, &v->nested->vapic);
	unpin(v, &v->nested->apic_access);
}
