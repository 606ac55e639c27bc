/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The AMD SVM backend: its per-CPU and per-vCPU state and what its files offer
 * each other. Called by the core through svm_ops only; it knows nothing of
 * memory slots, interrupt controllers, or who asked for an exit.
 *
 *   svm.c	the operations table, load and unload, vm/vcpu life
 *   cpu.c	one CPU: EFER.SVME, VM_HSAVE_PA, host state kept by VMSAVE
 *   run.c	one world switch; enter.S is its assembly
 *   exit.c	SVM exit codes into the VMX vocabulary of struct vcpu_exit
 *   state.c	segments, control registers, MSRs of the current context
 *   event.c	injection, interrupt and NMI windows, NMI blocking
 *   intercept.c what the current context exits for; MSR permission maps
 *   asid.c	TLB tags
 *   nested.c	context 02: from vmcs12 into vmcb02 and back
 *
 * All of struct svm_vcpu is protected by vcpu->mutex; struct svm_cpu belongs
 * to its CPU, preemption off.
 */
#ifndef TURTLES_SVM_SVM_H
#define TURTLES_SVM_SVM_H

#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include "hw/hw.h"
#include "hw/nested_caps.h"
#include "hw/svm/switch.h"
#include "hw/svm/vmcb.h"
#include "vcpu/vcpu.h"

/** struct svm_features - CPUID 8000_000A, what this backend makes use of */
struct svm_features {
	u32 nr_asids;
	bool nrips;
	bool decode_assists;
	bool pause_filter;
	bool virt_spec_ctrl;
	bool tsc_aux;	     /* RDTSCP or RDPID exists */
	bool spec_ctrl;	     /* MSR_IA32_SPEC_CTRL exists */
	bool forgets_shadow; /* VMRUN ignores INTERRUPT_SHADOW: see event.c */
	bool repeats_intr;   /* an injected interrupt may come again before the next exit */
};

extern struct svm_features svm_features;

/**
 * struct svm_ctx - a hardware context: 01 runs L1, 02 runs L2
 * @vmcb:	the VMCB; @pa what VMRUN takes (with the memory-encryption bit)
 * @msrpm:	its MSR permission map, two pages
 * @base:	intercepts that do not depend on the members below
 * @exc:	exception vectors the core wants to see
 * @cpu:	CPU that ran it last; -1 = none. Elsewhere nothing cached is valid
 * @asid_gen:	generation of the ASID in the VMCB; 0 = a new one is needed
 * @cr0_virt, @cr4_virt: guest-visible values of the bits the hardware register
 *		does not hold (SVM_CR0_VIRT, SVM_CR4_VIRT)
 * @cr0_mask, @cr4_mask, @cr0_shadow, @cr4_shadow: L1's; zero in context 01
 * @sysenter_esp, @sysenter_eip: all 64 bits; VMSAVE may keep only 32
 * @debugctl:	value as the guest wrote it
 * @windows:	WINDOW_* wanted by L0; @l1_windows: by L1
 * @l1_vpid:	VPID of L1's that the ASID stands for, 0 = none
 * @no_rdtscp, @no_invpcid: L1 did not give its guest the instruction
 * @cr8_threshold: see hw_ops.set_cr8_intercept
 * @nmi_masked:	an NMI has been delivered and no IRET has completed since
 * @iret_pending: IRET at @iret_rip exited and is about to be executed
 * @stepping:	this entry executes one instruction, to find the NMI window
 * @shadow_kept: this entry began in a shadow at @shadow_rip (forgets_shadow)
 * @soft_len:	RIP is advanced by this at the entry (software event to inject)
 * @soft_rip:	where RIP was before; valid while @soft_armed
 */
struct svm_ctx {
	struct svm_vmcb *vmcb;
	u64 pa;
	void *msrpm;
	u32 base[VMCB_INTERCEPT_WORDS];
	u32 exc;
	int cpu;
	u64 asid_gen;
	u64 cr0_virt, cr4_virt;
	u64 cr0_mask, cr4_mask;
	u64 cr0_shadow, cr4_shadow;
	u64 sysenter_esp, sysenter_eip;
	u64 debugctl;
	u32 windows;
	u32 l1_windows;
	u16 l1_vpid;
	u32 cr8_threshold;
	u32 soft_len;
	bool nmi_masked;
	bool iret_pending;
	bool stepping;
	bool shadow_kept;
	bool soft_armed;
	bool l1_dr; /* L1 wants MOV DR exits */
	bool no_rdtscp;
	bool no_invpcid;
	u64 iret_rip;
	u64 shadow_rip;
	u64 soft_rip;
};

/** struct svm_vcpu - the backend's part of a vCPU */
struct svm_vcpu {
	struct svm_switch sw; /* what the world switch reads */
	struct svm_ctx *cur;
	struct svm_ctx ctx[2];
	u64 tsc_aux; /* the guest's */
	u64 host_tsc_aux;
	bool tsc_aux_loaded;
	bool was_reset;
	bool dr_intercept;
	u64 spec_ctrl; /* the guest's, unless the VMCB holds it */
	u16 host_ldt;  /* LDTR when the host state was saved */
};

/** struct svm_cpu - one processor */
struct svm_cpu {
	struct page *hsave;    /* VM_HSAVE_PA */
	struct svm_vmcb *host; /* VMSAVE area with the host's state */
	u64 host_pa;
	struct vcpu *last;	    /* for the branch predictor barrier */
	struct irq_work leave_work; /* svm_leave_soon() */
	u64 asid_gen;
	u32 next_asid;
	u32 max_asid;
	bool enabled;
};

DECLARE_PER_CPU(struct svm_cpu, svm_cpus);

/* Guest-visible CR bits that the hardware register does not carry. */
#define SVM_CR0_VIRT (X86_CR0_CD | X86_CR0_NW)
/* VME and PVI only where the processor does not have them: vcpu_emulates_vme(). */
#define SVM_CR4_VIRT                  \
	(X86_CR4_VMXE | X86_CR4_MCE | \
	 (boot_cpu_has(X86_FEATURE_VME) ? 0 : X86_CR4_VME | X86_CR4_PVI))

static inline struct svm_ctx *svm_cur(struct vcpu *v)
{
	return v->svm->cur;
}

static inline u32 svm_windows(const struct svm_ctx *ctx)
{
	return ctx->windows | ctx->l1_windows;
}

static inline bool svm_is_02(struct vcpu *v)
{
	return v->svm->cur == &v->svm->ctx[1];
}

/*
 * Plain RDMSR and WRMSR, for MSRs that are known to exist: the kernel's own
 * accessors change their names between the versions we build for.
 */
static inline u64 svm_rdmsr(u32 index)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index) : "memory");
	return (u64)high << 32 | low;
}

static inline void svm_wrmsr(u32 index, u64 val)
{
	asm volatile("wrmsr" : : "c"(index), "a"((u32)val), "d"((u32)(val >> 32)) : "memory");
}

/* cpu.c */
int svm_cpus_alloc(void);
void svm_cpus_free(void);
void svm_leave_soon(void);
int svm_cpu_enable(void);
void svm_cpu_disable(void);
void svm_vcpu_load(struct vcpu *v, int cpu);
void svm_vcpu_put(struct vcpu *v);
void svm_save_host(struct svm_vcpu *svm);
void svm_load_tsc_aux(struct vcpu *v, u64 val);
void svm_predictor_barrier(void);
void svm_forget_vcpu(struct vcpu *v);

/* run.c */
void svm_enter(struct vcpu *v, struct vcpu_exit *e);

/* exit.c */
void svm_fill_exit(struct vcpu *v, struct svm_ctx *ctx, struct vcpu_exit *e);

/* state.c */
u32 svm_seg_to_ar(const struct svm_save *s, enum x86_sreg r);
void svm_get_seg(struct vcpu *v, enum x86_sreg r, struct x86_seg *out);
void svm_set_seg(struct vcpu *v, enum x86_sreg r, const struct x86_seg *seg);
void svm_get_gdt(struct vcpu *v, struct x86_dt *dt);
void svm_set_gdt(struct vcpu *v, const struct x86_dt *dt);
void svm_get_idt(struct vcpu *v, struct x86_dt *dt);
void svm_set_idt(struct vcpu *v, const struct x86_dt *dt);
u64 svm_get_cr0(struct vcpu *v);
void svm_set_cr0(struct vcpu *v, u64 cr0);
u64 svm_get_cr3(struct vcpu *v);
void svm_set_cr3(struct vcpu *v, u64 cr3);
void svm_set_pdptrs(struct vcpu *v, const u64 pdpte[4]);
u64 svm_get_cr4(struct vcpu *v);
void svm_set_cr4(struct vcpu *v, u64 cr4);
u64 svm_get_efer(struct vcpu *v);
void svm_set_efer(struct vcpu *v, u64 efer);
u64 svm_get_dr7(struct vcpu *v);
void svm_set_dr7(struct vcpu *v, u64 dr7);
int svm_get_msr(struct vcpu *v, u32 index, u64 *val);
int svm_set_msr(struct vcpu *v, u32 index, u64 val);
int svm_get_cpl(struct vcpu *v);
void svm_set_tsc_offset(struct vcpu *v, u64 offset);
void svm_l2_set_tsc_offset(struct vcpu *v, u64 offset);
void svm_vcpu_reset(struct vcpu *v);

/* event.c */
u32 svm_get_intr_shadow(struct vcpu *v);
void svm_set_intr_shadow(struct vcpu *v, u32 shadow);
void svm_inject(struct vcpu *v, u32 intr_info, u32 error, u32 insn_len);
void svm_set_window(struct vcpu *v, u32 windows);
bool svm_prepare_events(struct vcpu *v, struct svm_ctx *ctx);
void svm_finish_events(struct vcpu *v, struct svm_ctx *ctx, struct vcpu_exit *e);
bool svm_finish_step(struct vcpu *v, struct svm_ctx *ctx, struct vcpu_exit *e);

/* intercept.c */
int svm_iopm_alloc(void);
void svm_iopm_free(void);
u64 svm_iopm_pa(void);
void *svm_msrpm_alloc(void);
void svm_msrpm_free(void *msrpm);
void svm_msrpm_set(void *msrpm, u32 index, bool read, bool write);
void svm_msrpm_merge(void *msrpm02, const void *msrpm01, const void *l1_bitmap);
void svm_base_intercepts(u32 *words);
void svm_update_intercepts(struct vcpu *v, struct svm_ctx *ctx);
void svm_set_exc_intercepts(struct vcpu *v, u32 vectors);
void svm_set_dr_intercept(struct vcpu *v, bool on);
void svm_set_cr8_intercept(struct vcpu *v, u32 tpr_threshold);
void svm_set_msr_intercept(struct vcpu *v, u32 index, bool read, bool write);

/* asid.c */
void svm_asid_prepare(struct svm_ctx *ctx, int cpu);
void svm_set_root(struct vcpu *v, u64 root_hpa);
void svm_tlb_flush(struct vcpu *v, bool all);
void svm_tlb_flush_gva(struct vcpu *v, u64 gva);

/* nested.c */
void svm_fill_nested_caps(struct hw_nested_caps *caps);
void svm_l2_enter(struct vcpu *v, struct vmcs12 *vmcs12, const struct l2_controls *ctl);
void svm_l2_set_pages(struct vcpu *v, const struct l2_pages *pages);
void svm_l2_save(struct vcpu *v, struct vmcs12 *vmcs12);
void svm_l2_leave(struct vcpu *v, struct vmcs12 *vmcs12);

#endif /* TURTLES_SVM_SVM_H */
