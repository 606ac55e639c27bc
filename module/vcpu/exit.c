// SPDX-License-Identifier: GPL-2.0-only
/*
 * One exit, one handler. The order of questions is vcpu_handle_exit()'s: did the entry fail, does
 * the exit belong to L1, and if neither, which row of the table is it?
 */
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <linux/sched.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "irqchip/irqchip.h"
#include "linux/trace.h"
#include "mm/mm.h"
#include "vcpu/core.h"
#include "vcpu/emulate.h"
#include "vcpu/hyperv.h"
#include "vcpu/nested.h"

static int handle_nothing(struct vcpu *v)
{
	return RESUME_GUEST;
}

static int handle_window(struct vcpu *v)
{
	vcpu_request(v, REQ_EVENT);
	return RESUME_GUEST;
}

int vcpu_handle_cpuid(struct vcpu *v)
{
	u32 eax = v->regs[X86_RAX], ebx, ecx = v->regs[X86_RCX], edx;

	vcpu_cpuid(v, &eax, &ebx, &ecx, &edx);
	v->regs[X86_RAX] = eax;
	v->regs[X86_RBX] = ebx;
	v->regs[X86_RCX] = ecx;
	v->regs[X86_RDX] = edx;
	return vcpu_skip_insn(v);
}

static int handle_hlt(struct vcpu *v)
{
	int r = vcpu_skip_insn(v);

	return r == RESUME_GUEST ? vcpu_halt(v) : r;
}

/* WBINVD, INVD, MONITOR, MWAIT, PAUSE: nothing to do but go on. */
static int handle_skip(struct vcpu *v)
{
	return vcpu_skip_insn(v);
}

static int handle_invlpg(struct vcpu *v)
{
	hw->tlb_flush_gva(v, v->exit.qual);
	return vcpu_skip_insn(v);
}

static int handle_emulate(struct vcpu *v)
{
	return vcpu_emulate(v);
}

static int handle_ud(struct vcpu *v)
{
	vcpu_inject_ud(v);
	return RESUME_GUEST;
}

static int handle_rdtsc(struct vcpu *v)
{
	u64 tsc = vcpu_read_tsc(v);

	v->regs[X86_RAX] = (u32)tsc;
	v->regs[X86_RDX] = tsc >> 32;
	if (v->exit.reason == EXIT_REASON_RDTSCP) {
		u64 aux = 0;

		vcpu_get_msr(v, MSR_TSC_AUX, &aux, true);
		v->regs[X86_RCX] = (u32)aux;
	}
	return vcpu_skip_insn(v);
}

/* MONITOR and MWAIT do nothing; to guests whose CPUID lacks them they may do so, too. */
static int handle_mwait(struct vcpu *v)
{
	if (!vm_has_quirk(v->vm, KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS) &&
	    !vcpu_has_feature(v, X86_FEATURE_MWAIT)) {
		vcpu_inject_ud(v);
		return RESUME_GUEST;
	}
	return vcpu_skip_insn(v);
}

static int handle_rdpmc(struct vcpu *v)
{
	/* No performance counters are offered: every index is invalid. */
	vcpu_inject_gp(v);
	return RESUME_GUEST;
}

static int handle_triple_fault(struct vcpu *v)
{
	vcpu_request(v, REQ_TRIPLE_FAULT);
	return RESUME_GUEST;
}

static u64 hypercall(struct vcpu *v, u64 nr)
{
	switch (nr) {
	case KVM_HC_VAPIC_POLL_IRQ: /* the exit was all that was wanted */
		return 0;
	case KVM_HC_SCHED_YIELD:
		if (v->enforce_pv && !vcpu_has_pv_feature(v, KVM_FEATURE_PV_SCHED_YIELD))
			return -KVM_ENOSYS;
		yield();
		return 0;
	default:
		return -KVM_ENOSYS;
	}
}

/* KVM_HC_*: those that need no feature in CPUID. May sleep. */
int vcpu_handle_vmcall(struct vcpu *v)
{
	u64 ret;
	int r;

	if (unlikely(hv_takes_hypercalls(v)))
		return hv_hypercall(v);
	ret = hw->get_cpl(v) > 0 ? -KVM_EPERM : hypercall(v, v->regs[X86_RAX]);

	if (!(hw->get_efer(v) & EFER_LMA))
		ret = (u32)ret;
	r = vcpu_skip_insn(v);
	if (r == RESUME_GUEST)
		v->regs[X86_RAX] = ret;
	return r;
}

static int handle_xsetbv(struct vcpu *v)
{
	u64 val = (v->regs[X86_RDX] << 32) | (u32)v->regs[X86_RAX];

	if (hw->get_cpl(v) > 0 || (u32)v->regs[X86_RCX] != 0 || vcpu_set_xcr0(v, val)) {
		vcpu_inject_gp(v);
		return RESUME_GUEST;
	}
	return vcpu_skip_insn(v);
}

static int handle_rdmsr(struct vcpu *v)
{
	return vcpu_handle_rdmsr(v);
}

static int handle_wrmsr(struct vcpu *v)
{
	return vcpu_handle_wrmsr(v);
}

/* Exit qualification for control-register accesses (SDM, table of that name). */
enum { CR_MOV_TO, CR_MOV_FROM, CR_CLTS, CR_LMSW };
#define CR_QUAL_NR(q)	((q)&15)
#define CR_QUAL_TYPE(q) (((q) >> 4) & 3)
#define CR_QUAL_REG(q)	(((q) >> 8) & 15)
#define CR_QUAL_LMSW(q) ((u16)((q) >> 16))

static int set_cr(struct vcpu *v, int nr, u64 val)
{
	trace_turtles_cr(true, nr, val);
	switch (nr) {
	case 0:
		return vcpu_set_cr0(v, nested_merge_cr0(v, val));
	case 3:
		return vcpu_set_cr3(v, val);
	case 4:
		return vcpu_set_cr4(v, nested_merge_cr4(v, val));
	case 8:
		return vcpu_set_cr8(v, val);
	}
	return 1;
}

static u64 get_cr(struct vcpu *v, int nr)
{
	switch (nr) {
	case 0:
		return nested_read_cr0(v);
	case 3:
		return hw->get_cr3(v);
	case 4:
		return nested_read_cr4(v);
	default:
		return vcpu_get_cr8(v);
	}
}

/* A 64-bit value in 64-bit mode, else the lower half. */
static u64 gpr_by_mode(struct vcpu *v, u64 val)
{
	struct x86_seg cs;

	if (!(val >> 32))
		return val;
	hw->get_seg(v, X86_CS, &cs);
	return (hw->get_efer(v) & EFER_LMA) && (cs.ar & SEG_AR_L) ? val : (u32)val;
}

/* What the local APIC held back may pass now; it is asked where it is. */
static int tpr_lowered(struct vcpu *v)
{
	if (!v->lapic) {
		v->run->exit_reason = KVM_EXIT_SET_TPR;
		return EXIT_TO_USER;
	}
	vcpu_request(v, REQ_EVENT);
	return RESUME_GUEST;
}

static int handle_cr(struct vcpu *v)
{
	u64 qual = v->exit.qual, old_cr8 = 0, cr0;
	u64 *reg = &v->regs[CR_QUAL_REG(qual)];
	int fault = 0, r;

	switch (CR_QUAL_TYPE(qual)) {
	case CR_MOV_TO:
		old_cr8 = v->cr8;
		fault = set_cr(v, CR_QUAL_NR(qual), gpr_by_mode(v, *reg));
		break;
	case CR_MOV_FROM:
		*reg = gpr_by_mode(v, get_cr(v, CR_QUAL_NR(qual)));
		trace_turtles_cr(false, CR_QUAL_NR(qual), *reg);
		break;
	case CR_CLTS:
		fault = set_cr(v, 0, nested_read_cr0(v) & ~(u64)X86_CR0_TS);
		break;
	case CR_LMSW:
		/* LMSW sets MP, EM, TS; sets but does not clear PE. */
		cr0 = nested_read_cr0(v);
		cr0 = (cr0 & ~0xeull) | (CR_QUAL_LMSW(qual) & 0xf);
		fault = set_cr(v, 0, cr0);
		break;
	}
	if (fault) {
		vcpu_inject_gp(v);
		return RESUME_GUEST;
	}
	r = vcpu_skip_insn(v);
	if (r == RESUME_GUEST && CR_QUAL_NR(qual) == 8 && v->cr8 < old_cr8)
		return tpr_lowered(v);
	return r;
}

/* Exit qualification for MOV DR. */
#define DR_QUAL_NR(q)  ((q)&7)
#define DR_QUAL_FROM   BIT(4)
#define DR_QUAL_REG(q) (((q) >> 8) & 15)

static int handle_dr(struct vcpu *v)
{
	int nr = DR_QUAL_NR(v->exit.qual);
	u64 *reg = &v->regs[DR_QUAL_REG(v->exit.qual)];

	if (nr == 4 || nr == 5) {
		if (hw->get_cr4(v) & X86_CR4_DE) {
			vcpu_inject_ud(v);
			return RESUME_GUEST;
		}
		nr += 2;
	}
	if (hw->get_cpl(v) > 0) {
		vcpu_inject_gp(v);
		return RESUME_GUEST;
	}
	if (vcpu_effective_dr7(v) & DR7_GD) {
		vcpu_inject_db(v, BIT(13)); /* DR6.BD */
		return RESUME_GUEST;
	}
	if (v->exit.qual & DR_QUAL_FROM) {
		*reg = vcpu_get_dr(v, nr);
	} else if (vcpu_set_dr(v, nr, gpr_by_mode(v, *reg))) {
		vcpu_inject_gp(v);
		return RESUME_GUEST;
	}
	return vcpu_skip_insn(v);
}

static int handle_db(struct vcpu *v)
{
	u64 dr6 = v->exit.qual;

	if (vcpu_user_takes_db(v))
		return vcpu_exit_debug(v, X86_TRAP_DB, dr6);
	vcpu_inject_db(v, dr6);
	return RESUME_GUEST;
}

/* #GP of an instruction that CR4.VME or CR4.PVI permits. */
static int handle_vme_gp(struct vcpu *v)
{
	bool ok;
	int r = vcpu_decode(v, &ok);

	if (!ok)
		return r;
	switch (v->emul->e.insn.op->id) {
	case OPC_CLI:
	case OPC_STI:
	case OPC_PUSHF:
	case OPC_POPF:
	case OPC_IRET:
	case OPC_INT:
		return vcpu_emulate(v);
	}
	vcpu_inject_gp(v);
	return RESUME_GUEST;
}

/*
 * A fault of an interrupt's delivery takes the interrupt's place, as on a processor without
 * hypervisor; of an exception's, vcpu_inject_exception() makes a double fault where due.
 */
static void forget_failed_delivery(struct vcpu *v)
{
	if (v->exit.idt_info & VECTORING_INFO_VALID_MASK) {
		v->ev.irq.injected = false;
		v->ev.nmi_injected = false;
	}
}

static int handle_exception(struct vcpu *v)
{
	u32 info = v->exit.intr_info;
	u8 vector = info & INTR_INFO_VECTOR_MASK;

	switch (info & INTR_INFO_INTR_TYPE_MASK) {
	case INTR_TYPE_NMI_INTR:
		return RESUME_GUEST; /* the backend has given it to the host */
	case INTR_TYPE_SOFT_INTR:
		return vcpu_emulate(v); /* SVM's PUSHF and INT n */
	}

	forget_failed_delivery(v);
	switch (vector) {
	case X86_TRAP_DB:
		return handle_db(v);
	case X86_TRAP_BP:
		if (v->debug_flags & KVM_GUESTDBG_USE_SW_BP)
			return vcpu_exit_debug(v, X86_TRAP_BP, 0);
		break;
	case X86_TRAP_UD:
		return nested_handle_ud(v);
	case X86_TRAP_GP:
		if (vcpu_gp_may_be_vme(v))
			return handle_vme_gp(v);
		break;
	case X86_TRAP_PF:
		vcpu_inject_pf(v, v->exit.qual, v->exit.intr_error);
		return RESUME_GUEST;
	}
	if (info & INTR_INFO_DELIVER_CODE_MASK)
		vcpu_inject_exception_err(v, vector, v->exit.intr_error);
	else
		vcpu_inject_exception(v, vector);
	if (vector == X86_TRAP_BP || vector == X86_TRAP_OF)
		v->ev.soft_insn_len = v->exit.insn_len;
	return RESUME_GUEST;
}

/* An event was being delivered through device memory: no processor state fits that. */
static int delivery_error(struct vcpu *v)
{
	struct kvm_run *run = v->run;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
	run->internal.ndata = 4;
	run->internal.data[0] = v->exit.idt_info;
	run->internal.data[1] = v->exit.reason;
	run->internal.data[2] = v->exit.qual;
	run->internal.data[3] = v->exit.gpa;
	return EXIT_TO_USER;
}

static int handle_ept(struct vcpu *v)
{
	struct vcpu_exit *e = &v->exit;
	u64 l1gpa = e->gpa, qual = 0;
	enum mm_fault_result res;

	res = mm_fault(v, e->gpa, e->qual & 7, nested_uses_ept(v), nested_eptp(v), &l1gpa, &qual);
	trace_turtles_page_fault(v->id, v->in_l2 ? 2 : 1, e->gpa, e->qual & 7, res);
	switch (res) {
	case MM_MAPPED:
	case MM_RETRY:
		if (v->in_l2)
			v->stats.mdp_faults++;
		else
			v->stats.tdp_faults++;
		return RESUME_GUEST;
	case MM_MMIO:
	case MM_READONLY:
		if (e->idt_info & INTR_INFO_VALID_MASK)
			return delivery_error(v);
		v->stats.mmio++;
		return vcpu_emulate(v);
	case MM_L1_VIOLATION:
		return nested_ept_fault_exit(v, e->gpa, e->gla, qual | (e->qual & ~0x7full), false);
	case MM_L1_MISCONFIG:
		return nested_ept_fault_exit(v, e->gpa, e->gla, 0, true);
	case MM_NOMEM:
		return -ENOMEM;
	default:
		return -EFAULT;
	}
}

static int handle_invpcid(struct vcpu *v)
{
	/* Only intercepted for L1's sake; flushing all is what the instruction allows. */
	hw->tlb_flush(v, false);
	return vcpu_skip_insn(v);
}

/*
 * Hardware task switches are not emulated; no guest of the last twenty years makes one
 * but for #DF in 32-bit kernels. User space is told instead of the guest being misled.
 */
static int handle_task_switch(struct vcpu *v)
{
	return vcpu_internal_error(v, KVM_INTERNAL_ERROR_EMULATION);
}

static int handle_hw_error(struct vcpu *v)
{
	v->run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	v->run->fail_entry.hardware_entry_failure_reason = v->exit.qual;
	v->run->fail_entry.cpu = raw_smp_processor_id();
	return EXIT_TO_USER;
}

typedef int (*exit_handler)(struct vcpu *v);

static const exit_handler handlers[VCPU_NR_EXIT_REASONS] = {
	[EXIT_REASON_EXCEPTION_NMI] = handle_exception,
	[EXIT_REASON_EXTERNAL_INTERRUPT] = handle_nothing,
	[EXIT_REASON_TRIPLE_FAULT] = handle_triple_fault,
	[EXIT_REASON_INTERRUPT_WINDOW] = handle_window,
	[EXIT_REASON_NMI_WINDOW] = handle_window,
	[EXIT_REASON_TASK_SWITCH] = handle_task_switch,
	[EXIT_REASON_CPUID] = vcpu_handle_cpuid,
	[EXIT_REASON_HLT] = handle_hlt,
	[EXIT_REASON_INVD] = handle_skip,
	[EXIT_REASON_INVLPG] = handle_invlpg,
	[EXIT_REASON_RDPMC] = handle_rdpmc,
	[EXIT_REASON_RDTSC] = handle_rdtsc,
	[EXIT_REASON_VMCALL] = vcpu_handle_vmcall,
	[EXIT_REASON_VMCLEAR] = nested_handle_insn,
	[EXIT_REASON_VMLAUNCH] = nested_handle_insn,
	[EXIT_REASON_VMPTRLD] = nested_handle_insn,
	[EXIT_REASON_VMPTRST] = nested_handle_insn,
	[EXIT_REASON_VMREAD] = nested_handle_insn,
	[EXIT_REASON_VMRESUME] = nested_handle_insn,
	[EXIT_REASON_VMWRITE] = nested_handle_insn,
	[EXIT_REASON_VMOFF] = nested_handle_insn,
	[EXIT_REASON_VMON] = nested_handle_insn,
	[EXIT_REASON_INVEPT] = nested_handle_insn,
	[EXIT_REASON_INVVPID] = nested_handle_insn,
	[EXIT_REASON_CR_ACCESS] = handle_cr,
	[EXIT_REASON_DR_ACCESS] = handle_dr,
	[EXIT_REASON_IO_INSTRUCTION] = vcpu_handle_io,
	[EXIT_REASON_MSR_READ] = handle_rdmsr,
	[EXIT_REASON_MSR_WRITE] = handle_wrmsr,
	[EXIT_REASON_MWAIT_INSTRUCTION] = handle_mwait,
	[EXIT_REASON_MONITOR_INSTRUCTION] = handle_mwait,
	[EXIT_REASON_PAUSE_INSTRUCTION] = handle_skip,
	[EXIT_REASON_TPR_BELOW_THRESHOLD] = tpr_lowered,
	[EXIT_REASON_GDTR_IDTR] = handle_emulate,
	[EXIT_REASON_EPT_VIOLATION] = handle_ept,
	[EXIT_REASON_EPT_MISCONFIG] = handle_ept,
	[EXIT_REASON_RDTSCP] = handle_rdtsc,
	[EXIT_REASON_PREEMPTION_TIMER] = handle_nothing,
	[EXIT_REASON_WBINVD] = handle_skip,
	[EXIT_REASON_XSETBV] = handle_xsetbv,
	[EXIT_REASON_RDRAND] = handle_ud,
	[EXIT_REASON_INVPCID] = handle_invpcid,
	[EXIT_REASON_VMFUNC] = handle_ud,
	[EXIT_REASON_ENCLS] = handle_ud,
	[EXIT_REASON_RDSEED] = handle_ud,
};

/* An exit that no row knows: the backend intercepts something that nothing handles. */
static int handle_unknown(struct vcpu *v)
{
	struct kvm_run *run = v->run;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	run->internal.ndata = 2;
	run->internal.data[0] = v->exit.reason;
	run->internal.data[1] = v->exit.raw;
	return EXIT_TO_USER;
}

static int handle_own(struct vcpu *v)
{
	switch (v->exit.reason) {
	case VCPU_EXIT_NONE:
		return RESUME_GUEST;
	case VCPU_EXIT_HW_ERROR:
		return v->in_l2 ? nested_hw_error(v) : handle_hw_error(v);
	}
	return handle_unknown(v);
}

/* Entries that failed for the guest state: L1's fault in L2, ours otherwise. */
static int handle_failed_entry(struct vcpu *v)
{
	if (v->in_l2)
		return nested_entry_failed(v);
	v->run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	v->run->fail_entry.hardware_entry_failure_reason = v->exit.reason;
	v->run->fail_entry.cpu = raw_smp_processor_id();
	return EXIT_TO_USER;
}

/**
 * vcpu_handle_exit - decide what the last exit means and do it
 * @v: the vCPU, loaded, by its own thread; may sleep
 *
 * Return: enum vcpu_next or -errno.
 */
int vcpu_handle_exit(struct vcpu *v)
{
	struct vcpu_exit *e = &v->exit;
	int r;

	if (unlikely(e->reason & VCPU_EXIT_FAILED_ENTRY))
		return handle_failed_entry(v);
	if (e->reason >= VCPU_NR_EXIT_REASONS)
		return handle_own(v);
	v->stats.exits[v->in_l2][e->reason]++;

	if (unlikely(e->partial)) {
		enum exit_completion c = vcpu_complete_exit(v, &r);

		if (c != EXIT_COMPLETE)
			return c == EXIT_HANDLED ? r : vcpu_emulate(v);
	}
	if (v->in_l2) {
		switch (nested_exit_is_for(v)) {
		case NESTED_EXIT_L1:
			return nested_reflect(v);
		case NESTED_EXIT_UNKNOWN:
			return handle_unknown(v);
		case NESTED_EXIT_L0:
			break;
		}
	}
	if (unlikely(!handlers[e->reason]))
		return handle_unknown(v);
	return handlers[e->reason](v);
}
