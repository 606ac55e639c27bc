/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hyper-V enlightenments: what the TLFS calls the hypervisor, for guests whose CPUID says "Hv#1".
 * A VM that does not use them has neither struct below, and pays a test of v->hv here and there.
 *
 *   hyperv.c	      life, CPUID, exits to user space	 hyperv_hcall.c   hypercalls
 *   hyperv_cpuid.c   KVM_GET_SUPPORTED_HV_CPUID	 hyperv_synic.c   synthetic interrupts
 *   hyperv_msr.c     synthetic MSRs, one table		 hyperv_stimer.c  synthetic timers
 *   hyperv_time.c    reference time, TSC page		 hyperv_syndbg.c  synthetic debugger
 *   hyperv_parse.c   the pure part
 */
#ifndef TURTLES_VCPU_HYPERV_H
#define TURTLES_VCPU_HYPERV_H

#include <linux/kvm.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "irqchip/irqchip.h"
#include "vcpu/hyperv_parse.h"
#include "vcpu/hyperv_tlfs.h"
#include "vcpu/vcpu.h"

/* Registers of CPUID that grant something. */
enum hv_grant {
	HV_NO_GRANT,
	HV_MSRS,
	HV_CALLS,
	HV_FEATURES,
	HV_HINTS,
	HV_DEBUG_CAPS,
	HV_NR_GRANTS
};

/* What hv_serve() has to do: bits of vcpu_hv.pending. */
enum hv_pending {
	HV_PENDING_TIMER0, /* .. + 3 */
	HV_PENDING_SYNIC = TLFS_NR_STIMERS,
	HV_PENDING_SYNDBG,
	HV_PENDING_CRASH,
	HV_PENDING_RESET,
};

/**
 * struct hv_stimer - one synthetic timer; (v) unless noted
 * @config, @count: the two MSRs
 * @expires:	    reference time of the next expiry; 0 = not started
 * @undelivered:    it has expired, but the message slot is full
 * @vt:		    (c) runs out in interrupt context, and then only makes a request
 */
struct hv_stimer {
	struct vcpu *v;
	unsigned int nr;
	u64 config, count;
	u64 expires;
	bool undelivered;
	struct vtimer *vt;
};

/**
 * struct hv_synic - a vCPU's synthetic interrupt controller; (v) unless noted
 * @active:	by KVM_CAP_HYPERV_SYNIC or SYNIC2
 * @keep_pages:	SYNIC2: pages that are switched on are not cleared
 * @msr:	the MSR whose write user space is to be told of
 * @sint:	(a) written by (v), read by whoever raises one
 * @lines:	which vectors are SINTs', for the local APIC
 */
struct hv_synic {
	bool active, keep_pages;
	u32 msr;
	u64 control, siefp, simp;
	u64 sint[TLFS_NR_SINTS];
	struct lapic_synth lines;
	struct hv_stimer timers[TLFS_NR_STIMERS];
};

/**
 * struct vcpu_hv - a vCPU's part; (v) unless noted
 * @enabled:	    CPUID says "Hv#1"
 * @enforce:	    KVM_CAP_HYPERV_ENFORCE_CPUID: access as CPUID says
 * @grants:	    CPUID registers by enum hv_grant
 * @vp_index:	    (a)
 * @runtime_offset: what user space added to the thread's run time, 100 ns
 * @pending:	    (a) bits of enum hv_pending
 */
struct vcpu_hv {
	bool enabled, enforce;
	u32 grants[HV_NR_GRANTS];
	u32 long_spin; /* leaf 0x40000004 EBX */
	u32 vp_index;
	u64 assist;
	u64 runtime_offset;
	unsigned long pending;
	u32 syndbg_msr; /* what HV_PENDING_SYNDBG is about */
	struct hv_synic synic;
};

/**
 * struct vm_hv - a VM's part
 * @lock:     the MSRs of the partition and its TSC page; taken in vcpu->mutex
 * @ref_lock: @ref; taken in @lock by who writes
 * @ref:      what the TSC page holds while it is valid, and what it was computed from
 * @ports:    eventfds of KVM_HYPERV_EVENTFD by connection ID; its own lock
 */
struct vm_hv {
	struct mutex lock;
	u64 guest_os_id; /* (a) to read */
	u64 hypercall;
	u64 crash[5], crash_ctl;
	u64 reenlightenment, tsc_emulation, tsc_emulation_status;
	struct {
		u64 control, status, send, recv, pending, options;
	} syndbg;

	u64 ref_tsc; /* the MSR */
	spinlock_t ref_lock;
	struct hv_ref {
		bool valid;
		u32 sequence;
		u64 scale, offset;
	} ref;
	struct xarray ports;
};

/* hyperv.c ------------------------------------------------------------------ */
struct vcpu_hv *hv_vcpu_get(struct vcpu *v); /* allocates; NULL without memory */
struct vm_hv *hv_vm_get(struct vm *vm);	     /* same */
void hv_vcpu_free(struct vcpu *v);
void hv_vm_free(struct vm *vm);
int hv_prepare_cpuid(struct vcpu *v, u32 interface);  /* -ENOMEM; before the table is taken */
void hv_apply_cpuid(struct vcpu *v);		      /* the table has been taken */
int hv_enable_synic(struct vcpu *v, bool keep_pages); /* -EINVAL, -ENOMEM */
int hv_enforce_cpuid(struct vcpu *v, bool on);
int hv_serve(struct vcpu *v);			    /* REQ_HYPERV: enum vcpu_next */
void hv_pend(struct vcpu *v, enum hv_pending what); /* any context; kicks */
int vm_hv_eventfd(struct vm *vm, const struct kvm_hyperv_eventfd *arg);
int hv_signal_port(struct vm *vm, u32 connection); /* -ENOENT */

/* The vCPU's part if the guest may use Hyper-V's interfaces at all, else NULL. */
static inline struct vcpu_hv *hv_of_guest(struct vcpu *v)
{
	struct vcpu_hv *hv = v->hv;

	return hv && hv->enabled ? hv : NULL;
}

/* Of any vCPU, from any thread. */
static inline struct vcpu_hv *hv_of(struct vcpu *v)
{
	return smp_load_acquire(&v->hv);
}

static inline struct vm_hv *hv_of_vm(struct vm *vm)
{
	return smp_load_acquire(&vm->hv);
}

static inline u32 hv_vp_index(struct vcpu *v)
{
	struct vcpu_hv *hv = hv_of(v);

	return hv ? READ_ONCE(hv->vp_index) : v->idx;
}

static inline bool hv_granted(const struct vcpu_hv *hv, enum hv_grant reg, u32 bits)
{
	return !hv->enforce || (hv->grants[reg] & bits) == bits;
}

struct vcpu *hv_vcpu_by_vp(struct vm *vm, u32 vp_index);

/* hyperv_cpuid.c: KVM_GET_SUPPORTED_HV_CPUID; @v NULL on the system fd; -E2BIG, -ENOMEM */
int hv_supported_cpuid(struct vcpu *v, struct kvm_cpuid_entry2 *out, u32 *nent);

/* hyperv_msr.c: as vcpu_get_msr() and vcpu_set_msr() */
int hv_get_msr(struct vcpu *v, u32 index, u64 *val, bool host);
int hv_set_msr(struct vcpu *v, u32 index, u64 val, bool host);

/* hyperv_time.c */
u64 hv_ref_time(struct vcpu *v); /* 100 ns */
int hv_set_ref_tsc(struct vcpu *v, u64 val, bool host);
void hv_clock_changed(struct vcpu *v); /* the VM's clock or the vCPU's TSC; may sleep */

/* hyperv_hcall.c */
bool hv_takes_hypercalls(struct vcpu *v);
int hv_hypercall(struct vcpu *v);
int hv_set_hypercall_msr(struct vcpu *v, u64 val, bool host); /* 0, 1 = #GP */

/* hyperv_synic.c; MSR accessors: 0, 1 = #GP */
int hv_synic_get_msr(struct vcpu *v, u32 index, u64 *val, bool host);
int hv_synic_set_msr(struct vcpu *v, u32 index, u64 val, bool host);
int hv_raise_sint(struct vcpu *v, unsigned int sint); /* as irq_set(); any context */
void hv_synic_eoi(struct vcpu *v, u8 vector);
/* Timer message into the slot of @sint: -EAGAIN when it is full, -ENOENT without a page. */
int hv_post_timer_message(struct vcpu *v, unsigned int sint, const struct tlfs_timer_payload *p);
void hv_synic_exit(struct vcpu *v);

/* hyperv_stimer.c */
int hv_stimers_create(struct vcpu *v, struct hv_synic *s);
void hv_stimers_free(struct hv_synic *s);
int hv_stimer_get_msr(struct vcpu *v, u32 index, u64 *val, bool host);
int hv_stimer_set_msr(struct vcpu *v, u32 index, u64 val, bool host);
void hv_stimer_serve(struct vcpu *v, unsigned int nr);	  /* may sleep */
void hv_stimers_look(struct vcpu *v);			  /* something they wait for has changed */
void hv_stimers_retry(struct vcpu *v, unsigned int sint); /* its slot may be free; any context */

/* hyperv_syndbg.c */
int hv_syndbg_get_msr(struct vcpu *v, u32 index, u64 *val, bool host);
int hv_syndbg_set_msr(struct vcpu *v, u32 index, u64 val, bool host);
bool hv_syndbg_offered(const struct vcpu_hv *hv);
void hv_syndbg_exit(struct vcpu *v);
bool hv_syndbg_by_calls(struct vm *vm); /* the guest chose hypercalls */

#endif /* TURTLES_VCPU_HYPERV_H */
