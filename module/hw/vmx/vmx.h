/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Intel VMX backend: private types and the functions its files share.
 * hw/hw.h is what the core sees; nothing outside hw/vmx includes this file.
 *
 * One vCPU has two contexts, each a VMCS with a software cache in front of it:
 * 01 runs L1, 02 runs L2. vmx->cur is the one that is loaded on the CPU.
 */
#ifndef TURTLES_HW_VMX_VMX_H
#define TURTLES_HW_VMX_VMX_H

#include <linux/types.h>
#include "hw/hw.h"
#include "hw/nested_caps.h"
#include "hw/vmx/vmcs.h"
#include "nested/vmcs12.h"
#include "vcpu/vcpu.h"

/* Arguments of the world switch, enter.S. */
#define VMX_RUN_RESUME_BIT    0 /* VMRESUME, not VMLAUNCH */
#define VMX_RUN_VERW_BIT      1 /* clear CPU buffers before entry */
#define VMX_RUN_SPEC_BIT      2 /* SPEC_CTRL of guest and host differ, or may */
#define VMX_RUN_SPEC_SAVE_BIT 3 /* the guest writes SPEC_CTRL without an exit */

/**
 * struct vmx_switch - what enter.S reads and writes besides the registers
 * @host_rsp:	     HOST_RSP as last written to the current VMCS
 * @guest_spec_ctrl: loaded before, saved after the run
 * @host_spec_ctrl:  loaded after the run
 *
 * The offsets are known to enter.S.
 */
struct vmx_switch {
	u64 host_rsp;
	u64 guest_spec_ctrl;
	u64 host_spec_ctrl;
};

/* What this CPU can do and what context 01 asks of it; constant after setup. */
struct vmx_caps {
	u32 revision;
	u32 pin, proc, proc2, exit, entry; /* solved controls of context 01 */
	u32 pin_may, proc_may, proc2_may, exit_may, entry_may;
	u32 pin_must, proc_must, exit_must, entry_must;
	u64 basic;
	u64 misc;
	u32 ept, vpid; /* the halves of EPT_VPID_CAP */
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	bool tpr_shadow;
	bool use_vpid;
	bool ept_ad;
	bool shadow_vmcs;
	bool irqs_stick; /* external interrupts need the preemption timer's help */
	bool verw;
	bool l1d_flush;
	bool ibpb;
	bool spec_ctrl;
	bool xsaves;
	u32 irqs_stick_ticks; /* preemption-timer units */
	u8 timer_shift;	      /* TSC ticks per timer unit, log2 */
};

extern struct vmx_caps vmx_caps;

/* Bits of vmx_ctx.avail: the cached copy holds what the VMCS holds. */
#define AVAIL_SEG(s) BIT(s)
#define AVAIL_CR0    BIT(16)
#define AVAIL_CR3    BIT(17)
#define AVAIL_CR4    BIT(18)
#define AVAIL_INTR   BIT(19)

/* Host state in a VMCS that depends on the CPU or on the thread. */
struct vmx_host_fields {
	u64 fs_base, gs_base;
	u64 tr_base, gdt_base, idt_base;
	u64 sysenter_esp, sysenter_eip, sysenter_cs;
	u16 fs_sel, gs_sel, ds_sel, es_sel;
};

/**
 * struct vmx_ctx - a VMCS and the cache of its fields
 *
 * All (v). Members named after a field hold the value last written to it, so
 * that writing the same value again costs no VMWRITE; those under @avail are
 * changed by the guest and are forgotten at each exit.
 */
struct vmx_ctx {
	struct vmcs vmcs;
	struct vmx_switch sw;
	bool is_02;

	/* Changed by every run, read back after it. */
	u64 rip, rsp, rflags;

	/* Controls. */
	u32 pin, proc, proc2, exit, entry;
	u32 exc, timer, tpr_threshold;
	u32 intr_info;
	bool foreign_vapic; /* the virtual-APIC page is L1's, not the one for CR8 */
	u16 vpid;
	u64 eptp, tsc_offset;

	/* Flushes due before the next entry. */
	bool flush_ept, flush_ept_all, flush_vpid;
	/* An expired preemption timer is ours to swallow, not the guest hypervisor's. */
	bool timer_is_ours;
	bool l1_timer_on; /* 02: L1 uses the timer ... */
	u64 l1_deadline;  /* ... and it expires at this host TSC */

	/* Host state. */
	u64 host_cr0, host_cr3, host_cr4;
	u32 host_gen;
	struct vmx_host_fields host;

	/* Guest state, valid as @avail says. */
	u32 avail;
	struct x86_seg seg[X86_NR_SREGS];
	u64 cr0_hw, cr3, cr4_hw; /* as in GUEST_CRx */
	u32 intr_state;

	/* Control registers as the guest sees them. */
	u64 cr0_shadow, cr4_shadow;	  /* values in force of bits that the guest does not own */
	u64 cr0_l1, cr4_l1;		  /* 02: bits that L1 owns ... */
	u64 cr0_l1_shadow, cr4_l1_shadow; /* ... and its read shadows */
	u64 cr0_mask, cr4_mask;		  /* CRx_GUEST_HOST_MASK */
	u64 cr0_read, cr4_read;		  /* CRx_READ_SHADOW */
	u32 l1_windows;			  /* 02: event windows that L1 waits for */
	u64 efer;
};

/* MSRs that VMX does not switch and whose writes always exit. */
enum vmx_user_msr { UMSR_STAR, UMSR_LSTAR, UMSR_FMASK, UMSR_TSC_AUX, NR_USER_MSRS };

/* The thread's state that a VM exit destroys; valid while guest_loaded. */
struct vmx_host_thread {
	u16 fs_sel, gs_sel, ds_sel, es_sel, ldt_sel;
	u64 kernel_gs_base;
	u64 debugctl;
};

/**
 * struct vmx_vcpu - the backend's part of a vCPU; (v)
 */
struct vmx_vcpu {
	struct vmx_ctx *cur;
	struct vmx_ctx c01, c02;
	struct vcpu *v;
	int last_cpu;	   /* CPU of the last vcpu_load */
	bool guest_loaded; /* host thread state is saved, guest MSRs are in */
	bool c01_stale;	   /* 01's controls below were changed while in 02 */
	u32 host_gen;	   /* counts changes of @host */
	struct vmx_host_fields host;
	struct vmx_host_thread thread;

	u64 user_msr[NR_USER_MSRS];
	u64 cstar;
	u64 kernel_gs_base;
	u64 spec_ctrl;
	bool spec_ctrl_passthrough;

	/* What the core wants of context 01. */
	u32 exc01;
	u32 window;
	bool dr_exits;
	u32 tpr_want;
	u64 tsc_offset01;

	u8 *msr_bitmap; /* 01's */
	u8 *vapic;	/* virtual-APIC page that carries CR8 */
	u8 *msr_bitmap02;
	struct vmx_nested *nested; /* nested.c */
	struct vmx_shadow *shadow; /* shadow.c; NULL without a shadow VMCS */
};

/* Bits that guests own outright; see state.c. */
#define VMX_CR0_OWNED (X86_CR0_TS | X86_CR0_WP | X86_CR0_AM | X86_CR0_MP | X86_CR0_EM)
#define VMX_CR4_OWNED                                                                          \
	(X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PCE | X86_CR4_PGE | X86_CR4_OSFXSR | \
	 X86_CR4_OSXMMEXCPT)

#define VMX_PAT_RESET 0x0007040600070406ull /* SDM "Programming the PAT" */
#define VMX_DR7_RESET 0x400

/* A loop of PAUSEs no further apart than the gap that lasts longer than the window exits. */
#define VMX_SPIN_GAP	128
#define VMX_SPIN_WINDOW 4096

/* caps.c */
int vmx_caps_probe(void);
extern struct hw_nested_caps vmx_nested_caps;
void vmx_fill_nested_caps(void);
void vmx_fill_pt_format(struct pt_format *pt);

/* vmx.c */
void vmx_make_current(struct vmx_vcpu *x, struct vmx_ctx *c);

/* enter.S: 0 = a VM exit happened, else VMLAUNCH or VMRESUME failed */
unsigned long vmx_world_switch(u64 *regs, struct vmx_switch *sw, unsigned long flags);
extern char vmx_exit_point[];

/* run.c */
void vmx_enter(struct vcpu *v, struct vcpu_exit *e);

/* exit.c */
void vmx_fill_exit(struct vmx_vcpu *x, struct vmx_ctx *c, struct vcpu_exit *e);
void vmx_fill_failure(struct vmx_ctx *c, struct vcpu_exit *e);

/* state.c */
void vmx_get_seg(struct vcpu *v, enum x86_sreg s, struct x86_seg *out);
void vmx_set_seg(struct vcpu *v, enum x86_sreg s, const struct x86_seg *seg);
void vmx_get_gdt(struct vcpu *v, struct x86_dt *dt);
void vmx_set_gdt(struct vcpu *v, const struct x86_dt *dt);
void vmx_get_idt(struct vcpu *v, struct x86_dt *dt);
void vmx_set_idt(struct vcpu *v, const struct x86_dt *dt);
u64 vmx_get_cr0(struct vcpu *v);
void vmx_set_cr0(struct vcpu *v, u64 cr0);
u64 vmx_get_cr3(struct vcpu *v);
void vmx_set_cr3(struct vcpu *v, u64 cr3);
void vmx_set_pdptrs(struct vcpu *v, const u64 pdpte[4]);
void vmx_get_pdptrs(struct vcpu *v, u64 pdpte[4]);
u64 vmx_get_cr4(struct vcpu *v);
void vmx_set_cr4(struct vcpu *v, u64 cr4);
u64 vmx_get_efer(struct vcpu *v);
void vmx_set_efer(struct vcpu *v, u64 efer);
u64 vmx_get_dr7(struct vcpu *v);
void vmx_set_dr7(struct vcpu *v, u64 dr7);
int vmx_get_cpl(struct vcpu *v);
void vmx_reset_state(struct vcpu *v);

/* event.c */
void vmx_sync_01(struct vmx_vcpu *x);
u32 vmx_get_intr_shadow(struct vcpu *v);
void vmx_set_intr_shadow(struct vcpu *v, u32 shadow);
void vmx_inject(struct vcpu *v, u32 intr_info, u32 error, u32 insn_len);
void vmx_set_window(struct vcpu *v, u32 windows);
void vmx_set_exc_intercepts(struct vcpu *v, u32 vectors);
void vmx_set_dr_intercept(struct vcpu *v, bool on);
void vmx_set_cr8_intercept(struct vcpu *v, u32 tpr_threshold);
void vmx_set_tsc_offset(struct vcpu *v, u64 offset);
u32 vmx_intr_state(struct vmx_ctx *c);
void vmx_write_intr_state(struct vmx_ctx *c, u32 state);

/* msr.c */
int vmx_get_msr(struct vcpu *v, u32 index, u64 *val);
int vmx_set_msr(struct vcpu *v, u32 index, u64 val);
void vmx_set_msr_intercept(struct vcpu *v, u32 index, bool read, bool write);
void vmx_init_msr_bitmap(struct vmx_vcpu *x);
extern const struct msr_bitmap_part vmx_msr_bitmap_parts[];
void vmx_merge_msr_bitmap(struct vmx_vcpu *x, const u8 *l1);

/* host.c */
void vmx_host_cpu_init(void);
u64 vmx_host_spec_ctrl(void);
void vmx_switch_to_guest(struct vmx_vcpu *x);
void vmx_switch_to_host(struct vmx_vcpu *x);
void vmx_write_host_fields(struct vmx_vcpu *x, struct vmx_ctx *c);
void vmx_init_host_fields(struct vmx_ctx *c);

/* tlb.c */
int vmx_vpid_alloc(u16 *vpid);
void vmx_vpid_free(u16 vpid);
void vmx_set_root(struct vcpu *v, u64 root_hpa);
void vmx_tlb_flush(struct vcpu *v, bool all);
void vmx_tlb_flush_gva(struct vcpu *v, u64 gva);
void vmx_tlb_serve(struct vmx_ctx *c);
void vmx_tlb_flush_cpu(void);

/* nested.c */
void vmx_sync_rare_state(struct vmx_vcpu *x, struct vmcs12 *vmcs12);
u32 vmx_l2_timer(struct vmx_ctx *c, u32 ours);
void vmx_l2_set_timer(struct vcpu *v, u64 deadline);
void vmx_l2_set_tsc_offset(struct vcpu *v, u64 offset);
void vmx_l2_save(struct vcpu *v, struct vmcs12 *vmcs12);
void vmx_l2_set_pages(struct vcpu *v, const struct l2_pages *pages);
int vmx_nested_create(struct vmx_vcpu *x);
void vmx_nested_free(struct vmx_vcpu *x);
void vmx_l2_enter(struct vcpu *v, struct vmcs12 *vmcs12, const struct l2_controls *ctl);
void vmx_l2_leave(struct vcpu *v, struct vmcs12 *vmcs12);

/* shadow.c */
int vmx_shadow_setup(void);
void vmx_shadow_unsetup(void);
int vmx_shadow_create(struct vmx_vcpu *x);
void vmx_shadow_free(struct vmx_vcpu *x);
void vmx_shadow_migrate(struct vmx_vcpu *x);
void vmx_vmcs12_sync(struct vcpu *v, struct vmcs12 *vmcs12, u32 what);
void vmx_vmcs12_publish(struct vcpu *v, const struct vmcs12 *vmcs12, bool full);

/*
 * Guest state that hypervisors look at after most exits; the rest of what is
 * copied stays in vmcs02 until L1 asks. A segment is here as a whole or not at
 * all: the entry checks compare its parts.
 */
#define VMX_IS_HOT(enc)                                                                     \
	((enc) == GUEST_CR3 || (enc) == GUEST_CS_AR_BYTES || (enc) == GUEST_SS_AR_BYTES ||  \
	 (enc) == GUEST_CS_SELECTOR || (enc) == GUEST_CS_BASE || (enc) == GUEST_CS_LIMIT || \
	 (enc) == GUEST_SS_SELECTOR || (enc) == GUEST_SS_BASE || (enc) == GUEST_SS_LIMIT || \
	 (enc) == GUEST_INTERRUPTIBILITY_INFO || (enc) == GUEST_ACTIVITY_STATE ||           \
	 (enc) == GUEST_PENDING_DBG_EXCEPTIONS)

/*
 * Vectors that exit in every context. #MC must reach the host. #AC and #DB are
 * looked at because a guest can make their delivery loop in microcode for ever.
 */
#define VMX_ALWAYS_INTERCEPTED (BIT(18) | BIT(17) | BIT(1))

/* Setters of controls that several files change. */
static inline void vmx_set_proc(struct vmx_ctx *c, u32 val)
{
	vmwrite_cached(c->proc, CPU_BASED_VM_EXEC_CONTROL, val);
}

static inline void vmx_set_proc2(struct vmx_ctx *c, u32 val)
{
	vmwrite_cached(c->proc2, SECONDARY_VM_EXEC_CONTROL, val);
}

static inline void vmx_set_pin(struct vmx_ctx *c, u32 val)
{
	vmwrite_cached(c->pin, PIN_BASED_VM_EXEC_CONTROL, val);
}

static inline void vmx_set_entry(struct vmx_ctx *c, u32 val)
{
	vmwrite_cached(c->entry, VM_ENTRY_CONTROLS, val);
}

static inline void vmx_set_exit(struct vmx_ctx *c, u32 val)
{
	vmwrite_cached(c->exit, VM_EXIT_CONTROLS, val);
}

static inline void vmx_set_exc(struct vmx_ctx *c, u32 val)
{
	vmwrite_cached(c->exc, EXCEPTION_BITMAP, val);
}

#endif /* TURTLES_HW_VMX_VMX_H */
