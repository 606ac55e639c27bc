// SPDX-License-Identifier: GPL-2.0-only
/*
 * The synthetic debugger: a kernel debugger's transport that user space implements. A write to the
 * control MSR goes there (KVM_EXIT_HYPERV_SYNDBG), and so do the guest's calls if it prefers those.
 */
#include <linux/kernel.h>

#include "vcpu/emulate.h"
#include "vcpu/hyperv.h"

#define OPTION_USE_CALLS BIT_ULL(2)

bool hv_syndbg_offered(const struct vcpu_hv *hv)
{
	return hv->grants[HV_DEBUG_CAPS] & TLFS_DEBUG_CAP_KERNEL;
}

bool hv_syndbg_by_calls(struct vm *vm)
{
	return READ_ONCE(vm->hv->syndbg.options) & OPTION_USE_CALLS;
}

static u64 *word(struct vm_hv *hv, u32 index)
{
	switch (index) {
	case TLFS_MSR_INDEX_SYNDBG_CONTROL:
		return &hv->syndbg.control;
	case TLFS_MSR_INDEX_SYNDBG_STATUS:
		return &hv->syndbg.status;
	case TLFS_MSR_INDEX_SYNDBG_SEND:
		return &hv->syndbg.send;
	case TLFS_MSR_INDEX_SYNDBG_RECV:
		return &hv->syndbg.recv;
	case TLFS_MSR_INDEX_SYNDBG_PENDING:
		return &hv->syndbg.pending;
	default:
		return &hv->syndbg.options;
	}
}

int hv_syndbg_get_msr(struct vcpu *v, u32 index, u64 *val, bool host)
{
	struct vm_hv *hv = v->vm->hv;

	if (!host && !hv_syndbg_offered(v->hv))
		return 1;
	mutex_lock(&hv->lock);
	*val = *word(hv, index);
	mutex_unlock(&hv->lock);
	return 0;
}

int hv_syndbg_set_msr(struct vcpu *v, u32 index, u64 val, bool host)
{
	struct vm_hv *hv = v->vm->hv;

	if (!host && !hv_syndbg_offered(v->hv))
		return 1;
	mutex_lock(&hv->lock);
	*word(hv, index) = val;
	mutex_unlock(&hv->lock);
	/* The pending page is user space's to write to: it wants to know where it is. */
	if (!host &&
	    (index == TLFS_MSR_INDEX_SYNDBG_CONTROL || index == TLFS_MSR_INDEX_SYNDBG_PENDING)) {
		v->hv->syndbg_msr = index;
		hv_pend(v, HV_PENDING_SYNDBG);
	}
	return 0;
}

/* What came of a control request. */
static int complete_control(struct vcpu *v)
{
	struct vm_hv *hv = v->vm->hv;

	if (v->hv->syndbg_msr == TLFS_MSR_INDEX_SYNDBG_CONTROL) {
		mutex_lock(&hv->lock);
		hv->syndbg.status = READ_ONCE(v->run->hyperv.u.syndbg.status);
		mutex_unlock(&hv->lock);
	}
	return RESUME_GUEST;
}

void hv_syndbg_exit(struct vcpu *v)
{
	struct kvm_hyperv_exit *e = &v->run->hyperv;
	struct vm_hv *hv = v->vm->hv;

	memset(e, 0, sizeof(*e));
	v->run->exit_reason = KVM_EXIT_HYPERV;
	e->type = KVM_EXIT_HYPERV_SYNDBG;
	e->u.syndbg.msr = v->hv->syndbg_msr;
	mutex_lock(&hv->lock);
	e->u.syndbg.control = hv->syndbg.control;
	e->u.syndbg.status = hv->syndbg.status;
	e->u.syndbg.send_page = hv->syndbg.send;
	e->u.syndbg.recv_page = hv->syndbg.recv;
	e->u.syndbg.pending_page = hv->syndbg.pending;
	mutex_unlock(&hv->lock);
	v->emul->complete = complete_control;
}
