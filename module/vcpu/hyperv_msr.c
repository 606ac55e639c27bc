// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V's synthetic MSRs: one row each, with the privilege in CPUID that grants it (TLFS
 * "Partition Privilege Flags"), enforced when KVM_CAP_HYPERV_ENFORCE_CPUID asks for that.
 *
 * User space can read them of any vCPU, and write what it read, without making it one that
 * uses Hyper-V.
 */
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <asm/apicdef.h>
#include <asm/tsc.h>

#include "mm/mm.h"
#include "vcpu/hyperv.h"
#include "vcpu/msr.h"

#define APIC_TIMER_HZ 1000000000ull /* irqchip/lapic_timer.c: one tick per ns */

/* The partition's words -------------------------------------------------------------- */

static u64 *vm_word(struct vm_hv *hv, u32 index)
{
	switch (index) {
	case TLFS_MSR_INDEX_GUEST_OS_ID:
		return &hv->guest_os_id;
	case TLFS_MSR_INDEX_HYPERCALL:
		return &hv->hypercall;
	case TLFS_MSR_INDEX_REF_TSC:
		return &hv->ref_tsc;
	case TLFS_MSR_INDEX_CRASH_P0 ... TLFS_MSR_INDEX_CRASH_P4:
		return &hv->crash[array_index_nospec(index - TLFS_MSR_INDEX_CRASH_P0, 5)];
	case TLFS_MSR_INDEX_CRASH_CTL:
		return &hv->crash_ctl;
	case TLFS_MSR_INDEX_REENLIGHTENMENT:
		return &hv->reenlightenment;
	case TLFS_MSR_INDEX_TSC_EMULATION:
		return &hv->tsc_emulation;
	default:
		return &hv->tsc_emulation_status;
	}
}

static int get_vm_word(struct vcpu *v, u32 index, u64 *val, bool host)
{
	struct vm_hv *hv = v->vm->hv;

	mutex_lock(&hv->lock);
	*val = *vm_word(hv, index);
	mutex_unlock(&hv->lock);
	return 0;
}

static int set_vm_word(struct vcpu *v, u32 index, u64 val, bool host)
{
	struct vm_hv *hv = v->vm->hv;

	mutex_lock(&hv->lock);
	WRITE_ONCE(*vm_word(hv, index), val);
	mutex_unlock(&hv->lock);
	return 0;
}

/* Without an identity there are no hypercalls, and so no page of them. */
static int set_guest_os_id(struct vcpu *v, u32 index, u64 val, bool host)
{
	struct vm_hv *hv = v->vm->hv;

	mutex_lock(&hv->lock);
	WRITE_ONCE(hv->guest_os_id, val);
	if (!val)
		hv->hypercall &= ~TLFS_PAGE_ENABLE;
	mutex_unlock(&hv->lock);
	return 0;
}

static int set_hypercall(struct vcpu *v, u32 index, u64 val, bool host)
{
	return hv_set_hypercall_msr(v, val, host);
}

static int set_ref_tsc(struct vcpu *v, u32 index, u64 val, bool host)
{
	int r;

	mutex_lock(&v->vm->hv->lock);
	r = hv_set_ref_tsc(v, val, host);
	mutex_unlock(&v->vm->hv->lock);
	return r;
}

/* User space says what the guest can do, the guest that it has crashed. */
static int set_crash_ctl(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (host)
		return set_vm_word(v, index, val & TLFS_CRASH_NOTIFY, host);
	if (val & TLFS_CRASH_NOTIFY)
		hv_pend(v, HV_PENDING_CRASH);
	return 0;
}

/* The guest acknowledges with 0 that no TSC access is being emulated. */
static int set_emulation_status(struct vcpu *v, u32 index, u64 val, bool host)
{
	return val && !host ? MSR_FAULT : set_vm_word(v, index, val, host);
}

/* Constants and clocks ------------------------------------------------------------------ */

static int get_value(struct vcpu *v, u32 index, u64 *val, bool host)
{
	switch (index) {
	case TLFS_MSR_INDEX_REF_COUNT:
		*val = hv_ref_time(v);
		break;
	case TLFS_MSR_INDEX_TSC_FREQUENCY:
		*val = (u64)vcpu_tsc_khz(v) * 1000;
		break;
	case TLFS_MSR_INDEX_APIC_FREQUENCY:
		*val = APIC_TIMER_HZ;
		break;
	default:
		*val = 0;
	}
	return 0;
}

/* User space restores what it saved; these are not what it can restore. */
static int set_read_only(struct vcpu *v, u32 index, u64 val, bool host)
{
	return host ? 0 : MSR_FAULT;
}

static int set_reset(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (!host && (val & TLFS_RESET_NOW))
		hv_pend(v, HV_PENDING_RESET);
	return 0;
}

/* The vCPU's ------------------------------------------------------------------------------ */

static int get_vp_index(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = v->hv->vp_index;
	return 0;
}

static int set_vp_index(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (!host || val >= VM_MAX_VCPUS)
		return MSR_FAULT;
	WRITE_ONCE(v->hv->vp_index, val);
	return 0;
}

/* Time that the thread has run, in 100 ns: its scheduler's books are one tick behind at most. */
static u64 thread_runtime(void)
{
	return div_u64(READ_ONCE(current->se.sum_exec_runtime), 100);
}

static int get_runtime(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = thread_runtime() + v->hv->runtime_offset;
	return 0;
}

static int set_runtime(struct vcpu *v, u32 index, u64 val, bool host)
{
	if (!host)
		return MSR_FAULT;
	v->hv->runtime_offset = val - thread_runtime();
	return 0;
}

static u32 apic_offset(u32 index)
{
	switch (index) {
	case TLFS_MSR_INDEX_EOI:
		return APIC_EOI;
	case TLFS_MSR_INDEX_ICR:
		return APIC_ICR;
	default:
		return APIC_TASKPRI;
	}
}

static int get_apic(struct vcpu *v, u32 index, u64 *val, bool host)
{
	return v->lapic ? lapic_reg_read(v, apic_offset(index), val) : MSR_FAULT;
}

static int set_apic(struct vcpu *v, u32 index, u64 val, bool host)
{
	return v->lapic ? lapic_reg_write(v, apic_offset(index), val) : MSR_FAULT;
}

static int get_assist(struct vcpu *v, u32 index, u64 *val, bool host)
{
	*val = v->hv->assist;
	return 0;
}

/* The first word of the page is the local APIC's: "no EOI required", as MSR_KVM_PV_EOI_EN's. */
static int set_assist(struct vcpu *v, u32 index, u64 val, bool host)
{
	u64 gpa = TLFS_PAGE_ADDRESS(val);
	u32 word = 0;

	if (!(val & TLFS_PAGE_ENABLE)) {
		v->hv->assist = val;
		return v->lapic && lapic_set_pv_eoi(v, 0) ? MSR_FAULT : 0;
	}
	/* User space may restore it before there is memory, in which nothing is armed then. */
	if (vm_write_guest(v->vm, gpa, &word, sizeof(word)) && !host)
		return MSR_FAULT;
	if (v->lapic && lapic_set_pv_eoi(v, gpa | 1))
		return MSR_FAULT;
	v->hv->assist = val;
	return 0;
}

/* The table -------------------------------------------------------------------------------- */

struct hv_msr_row {
	u32 first, last;
	enum hv_grant grant;
	u32 bits;
	int (*get)(struct vcpu *v, u32 index, u64 *val, bool host);
	int (*set)(struct vcpu *v, u32 index, u64 val, bool host);
};

#define ONE(name)	   TLFS_MSR_INDEX_##name, TLFS_MSR_INDEX_##name
#define RANGE(first, last) TLFS_MSR_INDEX_##first, TLFS_MSR_INDEX_##last

static const struct hv_msr_row rows[] = {
	{ ONE(GUEST_OS_ID), HV_MSRS, TLFS_MSR_HYPERCALL, get_vm_word, set_guest_os_id },
	{ ONE(HYPERCALL), HV_MSRS, TLFS_MSR_HYPERCALL, get_vm_word, set_hypercall },
	{ ONE(VP_INDEX), HV_MSRS, TLFS_MSR_VP_INDEX, get_vp_index, set_vp_index },
	{ ONE(RESET), HV_MSRS, TLFS_MSR_RESET, get_value, set_reset },
	{ ONE(VP_RUNTIME), HV_MSRS, TLFS_MSR_VP_RUNTIME, get_runtime, set_runtime },
	{ ONE(REF_COUNT), HV_MSRS, TLFS_MSR_REF_COUNT, get_value, set_read_only },
	{ ONE(REF_TSC), HV_MSRS, TLFS_MSR_REF_TSC, get_vm_word, set_ref_tsc },
	{ RANGE(TSC_FREQUENCY, APIC_FREQUENCY), HV_MSRS, TLFS_MSR_FREQUENCY, get_value,
	  set_read_only },
	{ RANGE(EOI, TPR), HV_MSRS, TLFS_MSR_APIC, get_apic, set_apic },
	{ ONE(VP_ASSIST), HV_MSRS, TLFS_MSR_APIC, get_assist, set_assist },
	{ RANGE(SCONTROL, EOM), HV_MSRS, TLFS_MSR_SYNIC, hv_synic_get_msr, hv_synic_set_msr },
	{ RANGE(SINT0, SINT15), HV_MSRS, TLFS_MSR_SYNIC, hv_synic_get_msr, hv_synic_set_msr },
	{ RANGE(STIMER0_CONFIG, STIMER3_COUNT), HV_MSRS, TLFS_MSR_STIMER, hv_stimer_get_msr,
	  hv_stimer_set_msr },
	{ RANGE(SYNDBG_CONTROL, SYNDBG_PENDING), HV_FEATURES, TLFS_DEBUG_MSRS, hv_syndbg_get_msr,
	  hv_syndbg_set_msr },
	{ ONE(SYNDBG_OPTIONS), HV_FEATURES, TLFS_DEBUG_MSRS, hv_syndbg_get_msr, hv_syndbg_set_msr },
	{ RANGE(CRASH_P0, CRASH_P4), HV_FEATURES, TLFS_CRASH_MSRS, get_vm_word, set_vm_word },
	{ ONE(CRASH_CTL), HV_FEATURES, TLFS_CRASH_MSRS, get_vm_word, set_crash_ctl },
	{ RANGE(REENLIGHTENMENT, TSC_EMULATION), HV_MSRS, TLFS_MSR_REENLIGHTENMENT, get_vm_word,
	  set_vm_word },
	{ ONE(TSC_EMUL_STATUS), HV_MSRS, TLFS_MSR_REENLIGHTENMENT, get_vm_word,
	  set_emulation_status },
};

static const struct hv_msr_row *find_row(u32 index)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (index >= rows[i].first && index <= rows[i].last)
			return &rows[i];
	}
	return NULL;
}

static bool may_access(struct vcpu *v, const struct hv_msr_row *row)
{
	const struct vcpu_hv *hv = hv_of_guest(v);

	return hv && hv_granted(hv, row->grant, row->bits);
}

/* What the accessors would say of a vCPU without a part of its own. */
static u64 initial_value(struct vcpu *v, u32 index)
{
	u64 val = 0;

	switch (index) {
	case TLFS_MSR_INDEX_VP_INDEX:
		return v->idx;
	case TLFS_MSR_INDEX_VP_RUNTIME:
		return thread_runtime();
	case TLFS_MSR_INDEX_SVERSION:
		return TLFS_SYNIC_VERSION;
	case TLFS_MSR_INDEX_SINT0 ... TLFS_MSR_INDEX_SINT15:
		return TLFS_SINT_MASKED;
	}
	get_value(v, index, &val, true);
	return val;
}

/** hv_get_msr - read a synthetic MSR: 0, 1 = #GP, -ENOENT */
int hv_get_msr(struct vcpu *v, u32 index, u64 *val, bool host)
{
	const struct hv_msr_row *row = find_row(index);

	if (!row)
		return MSR_UNKNOWN;
	if (!host && !may_access(v, row))
		return MSR_FAULT;
	if (!v->hv) {
		*val = initial_value(v, index);
		return 0;
	}
	return row->get(v, index, val, host) ? MSR_FAULT : 0;
}

/** hv_set_msr - write a synthetic MSR: same; vm->srcu held, may sleep */
int hv_set_msr(struct vcpu *v, u32 index, u64 val, bool host)
{
	const struct hv_msr_row *row = find_row(index);

	if (!row)
		return MSR_UNKNOWN;
	if (!host && !may_access(v, row))
		return MSR_FAULT;
	if (!v->hv && (row->set == set_read_only || row->set == set_runtime ||
		       val == initial_value(v, index)))
		return 0;
	if (!hv_vcpu_get(v))
		return MSR_FAULT;
	return row->set(v, index, val, host) ? MSR_FAULT : 0;
}
