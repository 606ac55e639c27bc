// SPDX-License-Identifier: GPL-2.0-only
/*
 * The task-priority register of old 32-bit guests, which write it all the time and by MMIO:
 * user space is told of each access (KVM_TPR_ACCESS_REPORTING), patches the instruction, and from
 * then on the guest has its TPR in a page of its own memory (KVM_SET_VAPIC_ADDR) and
 * makes a hypercall only when lowering it may let an interrupt pass.
 *
 * The page's first word is TPR, class in service, 0, highest requested vector, a byte each. Its TPR
 * is the truth while the guest runs, the local APIC's otherwise.
 */
#include <linux/kvm.h>

#include "irqchip/irqchip.h"
#include "mm/mm.h"
#include "vcpu/core.h"
#include "vcpu/tpr.h"

/**
 * vcpu_set_tpr_page - KVM_SET_VAPIC_ADDR
 * @v:	 the vCPU, mutex held; vm->srcu held
 * @gpa: where the guest keeps its TPR, or 0
 *
 * Return: 0; -EINVAL without in-kernel local APIC, or without memory there.
 */
int vcpu_set_tpr_page(struct vcpu *v, u64 gpa)
{
	u32 word;

	if (!v->lapic || (gpa && vm_read_guest(v->vm, gpa, &word, sizeof(word))))
		return -EINVAL;
	v->tpr_page = gpa;
	return 0;
}

/* Before an entry, after events were injected. A page that has gone is the guest's own affair. */
void tpr_page_to_guest(struct vcpu *v)
{
	u32 word = lapic_tpr_word(v);

	vm_write_guest(v->vm, v->tpr_page, &word, sizeof(word));
}

/* After an exit, before anybody looks at the TPR. */
void tpr_page_from_guest(struct vcpu *v)
{
	u8 tpr;

	if (vm_read_guest(v->vm, v->tpr_page, &tpr, sizeof(tpr)) || tpr == (u8)lapic_tpr_word(v))
		return;
	lapic_set_tpr(v, tpr);
	vcpu_request(v, REQ_EVENT);
}

/**
 * tpr_access_done - the instruction at RIP has accessed the TPR by MMIO
 * @v:	      the vCPU; tpr_access_reporting is set
 * @is_write: it was a store
 *
 * User space hears of it before the guest goes on.
 */
void tpr_access_done(struct vcpu *v, bool is_write)
{
	v->tpr_access.rip = v->rip;
	v->tpr_access.is_write = is_write;
	vcpu_request(v, REQ_TPR_ACCESS);
}

/* REQ_TPR_ACCESS */
int tpr_access_report(struct vcpu *v)
{
	v->run->exit_reason = KVM_EXIT_TPR_ACCESS;
	v->run->tpr_access.rip = v->tpr_access.rip;
	v->run->tpr_access.is_write = v->tpr_access.is_write;
	v->run->tpr_access.pad = 0;
	return EXIT_TO_USER;
}
