// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V's reference time: the VM's clock in units of 100 ns, by MSR and by a page from which the
 * guest computes it (TLFS "Timers and Time Services").
 *
 * The page is valid while the host's TSC is stable and all vCPUs have the same TSC offset. What
 * it says is kept in vm_hv.ref, and the MSR then says the same to the tick.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <asm/tsc.h>

#include "mm/mm.h"
#include "vcpu/hyperv.h"
#include "vcpu/kvmclock.h"

#define SEQUENCE_RESERVED 0xffffffffu

/** hv_ref_time - reference time now, in 100 ns */
u64 hv_ref_time(struct vcpu *v)
{
	struct vm_hv *hv = hv_of_vm(v->vm);
	struct hv_ref ref = {};

	if (hv) {
		spin_lock(&hv->ref_lock);
		ref = hv->ref;
		spin_unlock(&hv->ref_lock);
	}
	if (ref.valid)
		return hv_tsc_to_ref(vcpu_read_tsc(v), ref.scale, ref.offset);
	return div_u64(vm_clock_ns(v->vm), 100);
}

static bool tscs_agree(struct vcpu *v)
{
	unsigned int i;
	struct vcpu *other;

	vm_for_each_vcpu(v->vm, i, other)
	{
		if (READ_ONCE(other->tsc_offset) != v->tsc_offset)
			return false;
	}
	return true;
}

/* What the page should say; valid false: nothing. */
static void compute(struct vcpu *v, struct hv_ref *ref)
{
	u64 tsc, ns;

	memset(ref, 0, sizeof(*ref));
	if (!vm_clock_base(v->vm, &tsc, &ns) || !tscs_agree(v))
		return;
	ref->scale = hv_tsc_scale(vcpu_tsc_khz(v));
	if (!ref->scale)
		return;
	ref->offset = div_u64(ns, 100) - hv_tsc_to_ref(tsc + v->tsc_offset, ref->scale, 0);
	ref->valid = true;
}

/* Sequence 0 sends the guest to the MSR while the rest changes. */
static int write_page(struct vcpu *v, u64 gpa, const struct hv_ref *ref)
{
	struct tlfs_tsc_page page = { .scale = ref->scale, .offset = ref->offset };

	if (vm_write_guest(v->vm, gpa, &page.sequence, sizeof(page.sequence)))
		return -EFAULT;
	smp_wmb();
	if (vm_write_guest(v->vm, gpa, &page, sizeof(page)))
		return -EFAULT;
	smp_wmb();
	return ref->valid ? vm_write_guest(v->vm, gpa, &ref->sequence, sizeof(ref->sequence)) : 0;
}

static void set_ref(struct vm_hv *hv, const struct hv_ref *ref)
{
	spin_lock(&hv->ref_lock);
	hv->ref = *ref;
	spin_unlock(&hv->ref_lock);
}

static u32 next_sequence(u32 last)
{
	return last + 1 == SEQUENCE_RESERVED ? 1 : last + 1;
}

/*
 * A guest that has asked for TSC emulation counts on the page as it is until it has been told of
 * the change (TLFS "Reenlightenment"): what it holds goes on to be the reference time.
 */
static bool page_is_frozen(const struct vm_hv *hv)
{
	return hv->tsc_emulation & TLFS_PAGE_ENABLE;
}

/* After a migration: the page came with the guest's memory. */
static void adopt_page(struct vcpu *v, struct vm_hv *hv)
{
	struct tlfs_tsc_page page;
	struct hv_ref ref = {};

	if (!vm_read_guest(v->vm, TLFS_PAGE_ADDRESS(hv->ref_tsc), &page, sizeof(page)) &&
	    page.sequence && page.sequence != SEQUENCE_RESERVED) {
		ref.valid = true;
		ref.sequence = page.sequence;
		ref.scale = page.scale;
		ref.offset = page.offset;
	}
	set_ref(hv, &ref);
}

/* Under hv->lock: bring the page up to date. A page that is not there is the guest's fault. */
static void update_page(struct vcpu *v, struct vm_hv *hv, bool force)
{
	struct hv_ref ref;

	compute(v, &ref);
	if (!force && ref.valid == hv->ref.valid && ref.scale == hv->ref.scale &&
	    ref.offset == hv->ref.offset)
		return;
	ref.sequence = next_sequence(hv->ref.sequence) ?: 1;
	if (write_page(v, TLFS_PAGE_ADDRESS(hv->ref_tsc), &ref))
		ref.valid = false;
	set_ref(hv, &ref);
}

/** hv_set_ref_tsc - write HV_X64_MSR_REFERENCE_TSC; hv->lock held */
int hv_set_ref_tsc(struct vcpu *v, u64 val, bool host)
{
	struct vm_hv *hv = v->vm->hv;
	struct hv_ref none = { .sequence = hv->ref.sequence };

	lockdep_assert_held(&hv->lock);
	hv->ref_tsc = val;
	if (!(val & TLFS_PAGE_ENABLE))
		set_ref(hv, &none);
	else if (host && page_is_frozen(hv))
		adopt_page(v, hv);
	else
		update_page(v, hv, true);
	return 0;
}

/** hv_clock_changed - the VM's clock has been set, or the vCPU's TSC; vm->srcu held */
void hv_clock_changed(struct vcpu *v)
{
	struct vm_hv *hv = v->vm->hv;

	mutex_lock(&hv->lock);
	if ((hv->ref_tsc & TLFS_PAGE_ENABLE) && !(hv->ref.valid && page_is_frozen(hv)))
		update_page(v, hv, false);
	mutex_unlock(&hv->lock);
	hv_stimers_look(v);
}
