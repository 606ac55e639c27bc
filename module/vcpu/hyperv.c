// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V enlightenments: life of their state, what CPUID and capabilities switch on, and what
 * has to go to user space. hyperv.h says where the rest is.
 */
#include <linux/eventfd.h>
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/slab.h>

#include "linux/compat.h"
#include "vcpu/cpuid.h"
#include "vcpu/hyperv.h"

/* Life -------------------------------------------------------------------------- */

/*
 * hv_vm_get - the VM's part, allocated with the first use
 *
 * No lock decides who is first: callers are in vm->srcu, where vm->lock is out of bounds.
 */
struct vm_hv *hv_vm_get(struct vm *vm)
{
	struct vm_hv *hv = hv_of_vm(vm), *first;

	if (likely(hv))
		return hv;
	hv = kzalloc(sizeof(*hv), GFP_KERNEL_ACCOUNT);
	if (!hv)
		return NULL;
	mutex_init(&hv->lock);
	spin_lock_init(&hv->ref_lock);
	xa_init(&hv->ports);
	/* Pairs with hv_of_vm(). */
	first = cmpxchg(&vm->hv, NULL, hv);
	if (!first)
		return hv;
	kfree(hv);
	return first;
}

/** hv_vcpu_get - the vCPU's part, and with it the VM's; @v's mutex held, or no thread yet */
struct vcpu_hv *hv_vcpu_get(struct vcpu *v)
{
	struct vcpu_hv *hv = v->hv;
	int i;

	if (likely(hv))
		return hv;
	if (!hv_vm_get(v->vm))
		return NULL;
	hv = kzalloc(sizeof(*hv), GFP_KERNEL_ACCOUNT);
	if (!hv)
		return NULL;
	hv->vp_index = v->idx;
	for (i = 0; i < TLFS_NR_SINTS; i++)
		hv->synic.sint[i] = TLFS_SINT_MASKED;
	/* Pairs with hv_of(). */
	smp_store_release(&v->hv, hv);
	return hv;
}

/** hv_vcpu_free - after the local APIC, which looks at our lines */
void hv_vcpu_free(struct vcpu *v)
{
	if (!v->hv)
		return;
	hv_stimers_free(&v->hv->synic);
	kfree(v->hv);
	v->hv = NULL;
}

void hv_vm_free(struct vm *vm)
{
	struct eventfd_ctx *ctx;
	unsigned long id;

	if (!vm->hv)
		return;
	xa_for_each(&vm->hv->ports, id, ctx)
		eventfd_ctx_put(ctx);
	xa_destroy(&vm->hv->ports);
	kfree(vm->hv);
	vm->hv = NULL;
}

struct vcpu *hv_vcpu_by_vp(struct vm *vm, u32 vp_index)
{
	unsigned int i;
	struct vcpu *v;

	if (vp_index < vm_nr_vcpus(vm) && hv_vp_index(vm->vcpus[vp_index]) == vp_index)
		return vm->vcpus[vp_index];
	vm_for_each_vcpu(vm, i, v)
	{
		if (hv_vp_index(v) == vp_index)
			return v;
	}
	return NULL;
}

/* CPUID and capabilities ---------------------------------------------------------- */

/** hv_prepare_cpuid - a table with EAX of leaf 0x40000001 = @interface is to be set */
int hv_prepare_cpuid(struct vcpu *v, u32 interface)
{
	return interface != TLFS_SIGNATURE_HV1 || hv_vcpu_get(v) ? 0 : -ENOMEM;
}

/** hv_apply_cpuid - take what v->cpuid grants */
void hv_apply_cpuid(struct vcpu *v)
{
	struct vcpu_hv *hv = v->hv;
	const struct kvm_cpuid_entry2 *e;

	if (!hv)
		return;
	e = vcpu_cpuid_entry(v, TLFS_CPUID_INTERFACE);
	hv->enabled = e && e->eax == TLFS_SIGNATURE_HV1;
	e = vcpu_cpuid_entry(v, TLFS_CPUID_FEATURES);
	hv->grants[HV_MSRS] = e ? e->eax : 0;
	hv->grants[HV_CALLS] = e ? e->ebx : 0;
	hv->grants[HV_FEATURES] = e ? e->edx : 0;
	e = vcpu_cpuid_entry(v, TLFS_CPUID_HINTS);
	hv->grants[HV_HINTS] = e ? e->eax : 0;
	hv->long_spin = e ? e->ebx : 0;
	e = vcpu_cpuid_entry(v, TLFS_CPUID_DEBUG_CAPS);
	hv->grants[HV_DEBUG_CAPS] = e ? e->eax : 0;
}

/** hv_enable_synic - KVM_CAP_HYPERV_SYNIC, or SYNIC2 with @keep_pages */
int hv_enable_synic(struct vcpu *v, bool keep_pages)
{
	struct vcpu_hv *hv;
	int err;

	if (!v->lapic)
		return -EINVAL;
	hv = hv_vcpu_get(v);
	if (!hv)
		return -ENOMEM;
	if (!hv->synic.active) {
		err = hv_stimers_create(v, &hv->synic);
		if (err)
			return err;
		hv->synic.active = true;
		lapic_set_synth(v, &hv->synic.lines);
	}
	hv->synic.keep_pages = keep_pages;
	return 0;
}

/** hv_enforce_cpuid - KVM_CAP_HYPERV_ENFORCE_CPUID */
int hv_enforce_cpuid(struct vcpu *v, bool on)
{
	struct vcpu_hv *hv = hv_vcpu_get(v);

	if (!hv)
		return -ENOMEM;
	hv->enforce = on;
	return 0;
}

/* To user space --------------------------------------------------------------------- */

void hv_pend(struct vcpu *v, enum hv_pending what)
{
	set_bit(what, &v->hv->pending);
	vcpu_request_and_kick(v, REQ_HYPERV);
}

static int system_event(struct vcpu *v, u32 type)
{
	struct kvm_run *run = v->run;

	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = type;
	run->system_event.ndata = 0;
	return EXIT_TO_USER;
}

static int serve_exit(struct vcpu *v, enum hv_pending what)
{
	switch (what) {
	case HV_PENDING_SYNIC:
		hv_synic_exit(v);
		return EXIT_TO_USER;
	case HV_PENDING_SYNDBG:
		hv_syndbg_exit(v);
		return EXIT_TO_USER;
	case HV_PENDING_CRASH:
		return system_event(v, KVM_SYSTEM_EVENT_CRASH);
	default:
		return system_event(v, KVM_SYSTEM_EVENT_RESET);
	}
}

/**
 * hv_serve - what has been pended, one exit to user space at a time
 * @v: the vCPU, loaded, by its own thread; vm->srcu held, may sleep
 */
int hv_serve(struct vcpu *v)
{
	struct vcpu_hv *hv = v->hv;
	enum hv_pending what;
	int r;

	for (what = 0; what <= HV_PENDING_RESET; what++) {
		if (!test_and_clear_bit(what, &hv->pending))
			continue;
		if (what < HV_PENDING_SYNIC) {
			hv_stimer_serve(v, what);
			continue;
		}
		r = serve_exit(v, what);
		if (READ_ONCE(hv->pending))
			vcpu_request(v, REQ_HYPERV);
		return r;
	}
	return RESUME_GUEST;
}

/* Ports of HvCallSignalEvent ----------------------------------------------------------- */

static int assign_port(struct vm_hv *hv, u32 id, int fd)
{
	struct eventfd_ctx *ctx = eventfd_ctx_fdget(fd);
	int err;

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	err = xa_insert(&hv->ports, id, ctx, GFP_KERNEL_ACCOUNT);
	if (err) {
		eventfd_ctx_put(ctx);
		return err == -EBUSY ? -EEXIST : err;
	}
	return 0;
}

static int deassign_port(struct vm_hv *hv, u32 id)
{
	/* Whoever signals does so under the array's lock: nobody uses it any more. */
	struct eventfd_ctx *ctx = xa_erase(&hv->ports, id);

	if (!ctx)
		return -ENOENT;
	eventfd_ctx_put(ctx);
	return 0;
}

/**
 * vm_hv_eventfd - KVM_HYPERV_EVENTFD
 * @arg: hostile, in kernel memory
 * Return: 0, -EINVAL, -EEXIST, -ENOENT, -EBADF, -ENOMEM.
 */
int vm_hv_eventfd(struct vm *vm, const struct kvm_hyperv_eventfd *arg)
{
	struct vm_hv *hv;

	if (arg->flags & ~(u32)KVM_HYPERV_EVENTFD_DEASSIGN ||
	    arg->conn_id & ~(u32)KVM_HYPERV_CONN_ID_MASK)
		return -EINVAL;
	hv = hv_vm_get(vm);
	if (!hv)
		return -ENOMEM;
	return arg->flags ? deassign_port(hv, arg->conn_id) :
			    assign_port(hv, arg->conn_id, arg->fd);
}

int hv_signal_port(struct vm *vm, u32 connection)
{
	struct vm_hv *hv = vm->hv;
	struct eventfd_ctx *ctx;

	xa_lock(&hv->ports);
	ctx = xa_load(&hv->ports, connection);
	if (ctx)
		compat_eventfd_signal(ctx);
	xa_unlock(&hv->ports);
	return ctx ? 0 : -ENOENT;
}
