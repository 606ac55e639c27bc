// SPDX-License-Identifier: GPL-2.0-only
/*
 * RDMSR and WRMSR: finding the row of msr_table.c, the exits of the instructions, and handing
 * accesses to user space that asked for them (KVM_CAP_X86_USER_SPACE_MSR).
 */
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <asm/apicdef.h>
#include <asm/msr-index.h>

#include "irqchip/irqchip.h"
#include "linux/trace.h"
#include "vcpu/emulate.h"
#include "vcpu/msr.h"
#include "vcpu/vcpu.h"

static const struct msr_row *find_row(u32 index)
{
	unsigned int lo = 0, hi = nr_msr_rows;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (index > msr_rows[mid].last)
			lo = mid + 1;
		else if (index < msr_rows[mid].first)
			hi = mid;
		else
			return &msr_rows[mid];
	}
	return NULL;
}

/** vcpu_get_msr - read an MSR: 0, 1 = #GP, -ENOENT = no such MSR */
int vcpu_get_msr(struct vcpu *v, u32 index, u64 *val, bool host)
{
	const struct msr_row *row = find_row(index);

	return row ? row->get(v, index, val, host) : MSR_UNKNOWN;
}

/** vcpu_set_msr - write an MSR: same */
int vcpu_set_msr(struct vcpu *v, u32 index, u64 val, bool host)
{
	const struct msr_row *row = find_row(index);

	return row ? row->set(v, index, val, host) : MSR_UNKNOWN;
}

/** vcpu_msr_init - values of a new vCPU that are neither 0 nor a matter of RESET */
void vcpu_msr_init(struct vcpu *v)
{
	v->arch_capabilities = msr_host_arch_capabilities();
	v->de_cfg = msr_host_de_cfg();
	vcpu_request(v, REQ_MSR_FILTER);
	v->microcode_version = boot_cpu_data.x86_vendor == X86_VENDOR_INTEL ? 1ull << 32 :
									      0x01000065;
}

/* Exits ------------------------------------------------------------------------- */

/* The answers of user space arrive in a page that it can change at any time: read once. */
static int complete_rdmsr(struct vcpu *v)
{
	u64 data = READ_ONCE(v->run->msr.data);

	if (READ_ONCE(v->run->msr.error)) {
		vcpu_inject_gp(v);
		return RESUME_GUEST;
	}
	v->regs[X86_RAX] = (u32)data;
	v->regs[X86_RDX] = data >> 32;
	return vcpu_skip_insn(v);
}

static int complete_wrmsr(struct vcpu *v)
{
	if (READ_ONCE(v->run->msr.error)) {
		vcpu_inject_gp(v);
		return RESUME_GUEST;
	}
	return vcpu_skip_insn(v);
}

static int user_exit(struct vcpu *v, u32 reason, bool write, u32 index, u64 data)
{
	struct kvm_run *run = v->run;

	run->exit_reason = write ? KVM_EXIT_X86_WRMSR : KVM_EXIT_X86_RDMSR;
	run->msr.error = 0;
	memset(run->msr.pad, 0, sizeof(run->msr.pad));
	run->msr.reason = reason;
	run->msr.index = index;
	run->msr.data = data;
	v->emul->complete = write ? complete_wrmsr : complete_rdmsr;
	return EXIT_TO_USER;
}

/* The access has failed with @r, or the filter has denied it: to user space, or #GP. */
static int failed(struct vcpu *v, int r, bool denied, bool write, u32 index, u64 data)
{
	u32 reason = denied	      ? KVM_MSR_EXIT_REASON_FILTER :
		     r == MSR_UNKNOWN ? KVM_MSR_EXIT_REASON_UNKNOWN :
					KVM_MSR_EXIT_REASON_INVAL;

	if (v->vm->user_space_msr_mask & reason)
		return user_exit(v, reason, write, index, data);
	vcpu_inject_gp(v);
	return RESUME_GUEST;
}

/** vcpu_handle_rdmsr - exit by RDMSR; vm->srcu held */
int vcpu_handle_rdmsr(struct vcpu *v)
{
	u32 index = v->regs[X86_RCX];
	u64 val = 0;
	bool denied = !msr_allowed(v, index, false);
	int r = denied ? MSR_FAULT : vcpu_get_msr(v, index, &val, false);

	trace_turtles_msr(false, index, val, r);
	if (unlikely(r))
		return failed(v, r, denied, false, index, 0);
	v->regs[X86_RAX] = (u32)val;
	v->regs[X86_RDX] = val >> 32;
	return vcpu_skip_insn(v);
}

/*
 * vcpu_rdmsr_is_atomic - may this RDMSR be handled with preemption off?
 *
 * KVM as a guest reads IA32_DEBUGCTL at each of its entries. Caller is in vm->srcu.
 */
bool vcpu_rdmsr_is_atomic(struct vcpu *v)
{
	u32 index = v->regs[X86_RCX];

	return index == MSR_IA32_DEBUGCTLMSR && msr_allowed(v, index, false);
}

/* Most writes by far are these three; a filter never covers the x2APIC's. */
static bool is_hot(const struct vcpu *v, u32 index)
{
	return index == APIC_BASE_MSR + (APIC_EOI >> 4) ||
	       index == APIC_BASE_MSR + (APIC_ICR >> 4) ||
	       (index == MSR_IA32_TSC_DEADLINE && v->deadline_allowed);
}

/*
 * vcpu_wrmsr_is_atomic - may this WRMSR be handled with preemption off and without vm->srcu?
 *
 * An EOI that was permitted to be skipped has to be told to guest memory.
 */
bool vcpu_wrmsr_is_atomic(struct vcpu *v)
{
	return is_hot(v, v->regs[X86_RCX]) && v->lapic && !lapic_pv_eoi_armed(v) &&
	       !(v->vm->user_space_msr_mask & KVM_MSR_EXIT_REASON_INVAL);
}

/** vcpu_handle_wrmsr - exit by WRMSR; vm->srcu held */
int vcpu_handle_wrmsr(struct vcpu *v)
{
	u32 index = v->regs[X86_RCX];
	u64 val = (u32)v->regs[X86_RAX] | v->regs[X86_RDX] << 32;
	bool denied = false;
	int r;

	if (likely(is_hot(v, index))) {
		r = lapic_msr_write(v, index, val);
	} else {
		denied = !msr_allowed(v, index, true);
		r = denied ? MSR_FAULT : vcpu_set_msr(v, index, val, false);
	}
	trace_turtles_msr(true, index, val, r);
	if (unlikely(r))
		return failed(v, r, denied, true, index, val);
	return vcpu_skip_insn(v);
}
