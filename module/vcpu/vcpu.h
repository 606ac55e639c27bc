/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct vm and struct vcpu: who owns what, and what protects it.
 *
 * Protection keys used below:
 *   (c) set at creation, constant while the object lives
 *   (v) the vCPU's own thread, under vcpu->mutex
 *   (a) atomic or WRITE_ONCE/READ_ONCE, any context
 *   (l) vm->lock
 *   (s) written under vm->slots_lock, read under vm->srcu
 *   (x) the subsystem's own lock, see its header
 */
#ifndef TURTLES_VCPU_VCPU_H
#define TURTLES_VCPU_VCPU_H

#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcuwait.h>
#include <linux/refcount.h>
#include <linux/srcu.h>
#include <linux/types.h>
#include "hw/hw.h"

struct irqchip;	    /* irqchip/irqchip.h: PIC, IOAPIC, PIT, routing */
struct lapic;	    /* irqchip/lapic.h */
struct vm_mm;	    /* mm/mm.h: slots, tdp, mdp */
struct io_bus;	    /* vcpu/bus.h */
struct vcpu_cpuid;  /* vcpu/cpuid.h */
struct vcpu_fpu;    /* vcpu/fpu.h */
struct vcpu_emul;   /* vcpu/emulate.h */
struct vcpu_nested; /* vcpu/nested.h */
struct vcpu_clock;  /* vcpu/kvmclock.h */
struct vcpu_hv;	    /* vcpu/hyperv.h */
struct vm_hv;	    /* same */
struct vmx_vcpu;    /* hw/vmx */
struct svm_vcpu;    /* hw/svm */

#define VM_MAX_VCPUS	  1024
#define VM_NR_IRQ_SOURCES 2

/* What an exit handler answers; negative errnos go to user space as such. */
enum vcpu_next {
	EXIT_TO_USER = 0, /* v->run is filled; KVM_RUN returns 0 */
	RESUME_GUEST = 1,
};

/* Requests: bits of vcpu->requests, made by anyone, served by the vCPU's thread. */
enum vcpu_req {
	REQ_EVENT,	  /* look for interrupts, NMIs, SIPIs again */
	REQ_TLB_FLUSH,	  /* flush this vCPU's second-level translations */
	REQ_MMU_RELOAD,	  /* the second-level root has changed or died */
	REQ_L2_PAGES,	  /* a page that the hardware uses for L2 has moved */
	REQ_L2_RESTORED,  /* user space has put L2, or registers of it, into place */
	REQ_CLOCK_UPDATE, /* write the kvmclock page */
	REQ_STEAL_UPDATE, /* tell the guest of its stolen time */
	REQ_MSR_FILTER,	  /* the filter has changed: intercept what it denies */
	REQ_TRIPLE_FAULT,
	REQ_TPR_ACCESS, /* tell user space of v->tpr_access */
	REQ_HYPERV,	/* vcpu/hyperv.c has something to do or to tell */
	REQ_VM_DEAD,	/* every KVM_RUN ends with -EIO */
};

/* EXITING_GUEST: as IN_GUEST, but the interrupt that ends it is on its way. */
enum vcpu_mode { OUTSIDE_GUEST, IN_GUEST, EXITING_GUEST };

/**
 * struct vm - one virtual machine (the object behind a VM fd)
 */
struct vm {
	refcount_t refs;	   /* one per VM fd, vCPU fd, and device fd */
	struct mm_struct *mm_user; /* (c) the creator's address space; one mm_count reference */
	struct mutex lock;	   /* creation of vCPUs and irqchip, caps, device list */
	struct mutex slots_lock;   /* memory slots and buses; taken after lock */
	struct srcu_struct srcu;   /* readers of slots, buses, routing, filters */

	struct vcpu *vcpus[VM_MAX_VCPUS]; /* (l) to write; entries never change once set */
	atomic_t nr_vcpus;		  /* (a) published after the entry in vcpus[] */
	u32 max_vcpu_id;		  /* (l) KVM_CAP_MAX_VCPU_ID, before the first vCPU */
	u32 bsp_vcpu_id;		  /* (l) KVM_SET_BOOT_CPU_ID */

	struct vm_mm *mm;	       /* (c) object; contents (x) */
	struct irqchip *irqchip;       /* (l) NULL until created; then constant */
	bool irqchip_split;	       /* (l) local APICs only */
	u8 nr_reserved_ioapic_pins;    /* (l) split mode */
	struct io_bus __rcu *buses[3]; /* (s) by enum bus_kind */
	void *irqfds;		       /* (x) api/irqfd.c */
	void *ioeventfds;	       /* (x) api/ioeventfd.c */
	void *coalesced;	       /* (x) api/coalesced.c */
	struct page *ring_page;	       /* (c) coalesced ring, shared with user space: hostile */
	spinlock_t ring_lock;	       /* our side of it */

	/* Switches set by KVM_ENABLE_CAP and friends; (l), read freely. */
	bool exception_payload;
	bool triple_fault_event;
	bool exit_on_emulation_failure;
	bool hide_platform_info; /* KVM_CAP_MSR_PLATFORM_INFO, reversed */
	u32 user_space_msr_mask;
	u64 disabled_exits;	 /* KVM_X86_DISABLE_EXITS_* */
	u64 disabled_quirks;	 /* KVM_X86_QUIRK_*, of VM_QUIRKS */
	u64 x2apic_api;		 /* KVM_X2APIC_API_*; bits are only ever set */
	u32 dirty_protect_flags; /* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 */
	void __rcu *msr_filter;	 /* (s) vcpu/msr_filter.c */
	u64 tss_addr;		 /* KVM_SET_TSS_ADDR */
	u64 identity_map_addr;
	u32 nr_mmu_pages; /* (a) KVM_SET_NR_MMU_PAGES; 0 = never set */

	/* Clock, vcpu/kvmclock.c */
	spinlock_t clock_lock; /* what follows, up to the empty line */
	struct {	       /* stable TSC: kvmclock = ns + (TSC - tsc) scaled */
		bool valid;
		u64 tsc, ns;
		u64 lost; /* tsc_lost_ticks() when it was taken */
	} clock_base;
	struct {	/* last synchronised write of a vCPU's TSC */
		u64 nr; /* of such writes; 0 = none yet */
		u64 value, ns, offset;
		u64 lost; /* tsc_lost_ticks() at that time */
	} tsc_sync;
	s64 clock_offset_ns; /* kvmclock = ktime_get_boottime ns + this */
	u64 wall_clock_gpa;

	struct vm_hv *hv;      /* (a) NULL until a vCPU uses Hyper-V's interfaces; then constant */
	void *hw;	       /* (c) the backend's own */
	struct list_head link; /* in vm_list, under vm_list_lock */
	struct dentry *debugfs;
};

/**
 * struct vcpu_events - events waiting or being delivered, (v) unless noted
 *
 * "injected" means: handed to the hardware (or to be handed again because an
 * exit cut the delivery short); "pending" means: raised, not yet handed over.
 */
struct vcpu_events {
	struct {
		bool pending, injected, has_error, has_payload;
		u8 vector;
		u32 error;
		u64 payload; /* CR2 of #PF, DR6 bits of #DB */
	} exc;
	struct {
		bool injected, soft;
		u8 vector;
	} irq;
	bool nmi_injected;
	atomic_t nmi_pending; /* (a) at most 2 */
	u32 soft_insn_len;    /* of an injected software event */
	u8 user_irq;	      /* KVM_INTERRUPT, when user_irq_valid */
	bool user_irq_valid;
};

/* Counters shown by debugfs and the binary statistics; (v) to write. */
#define VCPU_NR_EXIT_REASONS 80
struct vcpu_stats {
	u64 exits[2][VCPU_NR_EXIT_REASONS]; /* [0] taken from L1, [1] from L2 */
	u64 hw_exits;			    /* all world switches */
	u64 reflected;			    /* L2 exits passed on to L1 */
	u64 user_exits;
	u64 halt_wakeups;
	u64 mmio, pio, irq_injections, nmi_injections;
	u64 tdp_faults, mdp_faults, emulated;
};

/**
 * struct vcpu - one virtual CPU (the object behind a vCPU fd)
 */
struct vcpu {
	/* What the world switch touches comes first. */
	u64 regs[X86_NR_REGS];	  /* (v) always valid after an exit */
	u64 rip;		  /* (v) same */
	u64 rflags;		  /* (v) same */
	u64 cr2;		  /* (v) same */
	u64 cr8;		  /* (v) same; mirrors the LAPIC's TPR[7:4] when there is one */
	u64 cr8_given;		  /* (v) cr8 as it was before the entry */
	bool want_immediate_exit; /* (v) exit right after the next entry has injected */

	struct vm *vm;		/* (c) */
	u32 id;			/* (c) APIC ID at reset */
	u32 idx;		/* (c) index in vm->vcpus */
	int cpu;		/* CPU it is loaded on, or -1 */
	int last_cpu;		/* CPU it was last loaded on, or -1 */
	int mode;		/* (a) enum vcpu_mode */
	unsigned long requests; /* (a) bits, enum vcpu_req */
	struct mutex mutex;	/* ioctls on the vCPU fd, KVM_RUN */
	struct rcuwait wait;	/* the thread blocked in HLT or wait-for-SIPI */
	struct preempt_notifier preempt_notifier;
	bool loaded;	       /* (v) between vcpu_load() and vcpu_put() */
	struct pid __rcu *pid; /* thread of the last KVM_RUN */
	sigset_t sigset;       /* (v) KVM_SET_SIGNAL_MASK */
	bool sigset_active;
	struct kvm_run *run; /* (c) page shared with user space: hostile */
	struct page *run_page;
	void *pio_data;	    /* (c) second page of the mapping */
	int mp_state;	    /* (v) KVM_MP_STATE_*; others through requests */
	unsigned long sipi; /* (a) INIT and SIPI that wait; see SIPI_* in core.h */
	bool smi_pending;   /* (a) */
	bool smm;	    /* (v) in system-management mode: address space 1 */
	bool smm_in_nmi;    /* (v) NMIs were blocked when it was entered */

	/* Guest state kept by the core, (v). CRs here are the guest's view. */
	u64 apic_base;
	u64 xcr0;
	u64 xss;
	u64 dr[4];
	u64 dr6;
	u64 dr7;	     /* as the guest wrote it; hw has vcpu_effective_dr7() */
	u64 cr4_reserved;    /* from CPUID, by vcpu_cpuid_update() */
	u64 guest_xcr0;	     /* XCR0 bits that CPUID leaf 0xd offers */
	u8 maxphyaddr;	     /* from CPUID leaf 0x80000008 */
	bool l2_halted;	     /* L2 was entered in, or halted into, activity state HLT */
	u64 tsc_offset;	     /* of L1; see kvmclock.c for the rules */
	u64 tsc_lost;	     /* tsc_lost_ticks() that tsc_offset makes good */
	u64 tsc_sync_nr;     /* (vm->clock_lock) the write that it is in step with */
	u64 tsc_adjust;	     /* IA32_TSC_ADJUST */
	u64 misc_enable;     /* IA32_MISC_ENABLE */
	u64 feature_control; /* IA32_FEATURE_CONTROL */
	u64 microcode_version;
	u64 smbase, smi_count;
	u64 platform_info, power_ctl, hwcr, de_cfg; /* MSRs that only hold a value */
	u64 arch_capabilities;
	u64 mtrr_def, mtrr_fixed[11], mtrr_var[16];
	u64 mcg_cap, mcg_status, mcg_ctl, *mce_banks, *mce_ctl2; /* 4 words a bank, and 1 */
	u64 pv_eoi_msr; /* MSR_KVM_PV_EOI_EN, if there is no local APIC that uses it */
	struct {
		u64 msr;	     /* MSR_KVM_STEAL_TIME */
		u64 seen;	     /* the thread's waiting time that is accounted for, ns */
		bool told_preempted; /* the guest reads "preempted" */
	} steal;		     /* vcpu/steal.c */
	u32 debug_flags;	     /* KVM_GUESTDBG_* */
	u64 debug_dr[8];	     /* KVM_GUESTDBG_USE_HW_BP registers */
	u64 host_dr[8];		     /* saved while the guest's are loaded */
	bool dr_loaded;

	struct vcpu_events ev;
	struct vcpu_exit exit; /* (v) the last exit */
	struct vcpu_stats stats;

	struct lapic *lapic;	    /* (c) NULL without an in-kernel local APIC */
	struct vcpu_cpuid *cpuid;   /* (v) */
	struct vcpu_fpu *fpu;	    /* (c) object, (v) contents */
	struct vcpu_emul *emul;	    /* same */
	struct vcpu_nested *nested; /* same */
	struct vcpu_clock *clock;   /* same */
	struct vcpu_hv *hv;	    /* (v) NULL until used, then constant */
	bool in_l2;		    /* (v) context 02 is current */
	u64 root_hpa;		    /* (v) second-level root last given to hw, 0 = none */
	struct mdp_root *mdp_root;  /* (v) mm/: the composed root this vCPU holds, or NULL */
	u64 tpr_page;		    /* (v) gpa where the guest keeps its TPR, or 0; see tpr.c */
	bool tpr_access_reporting;
	struct {
		bool is_write;
		u64 rip;
	} tpr_access;	       /* (v) with REQ_TPR_ACCESS */
	bool enforce_pv;       /* KVM_CAP_ENFORCE_PV_FEATURE_CPUID */
	bool deadline_allowed; /* (v) the MSR filter lets IA32_TSC_DEADLINE be written */

	union { /* (c) the backend's own */
		struct vmx_vcpu *vmx;
		struct svm_vcpu *svm;
	};
};

/* vcpu/vcpu.c: life, load and put, requests and kicks -------------------- */
int vm_create(unsigned long type, struct vm **out);
void vm_get(struct vm *vm);
void vm_put(struct vm *vm);
int vcpu_create(struct vm *vm, u32 id, struct vcpu **out);
void vcpu_load(struct vcpu *v); /* process context; vcpu->mutex held */
void vcpu_put(struct vcpu *v);
void vcpu_request(struct vcpu *v, enum vcpu_req req); /* any context; does not kick */
void vcpu_kick(struct vcpu *v); /* any context: leave the guest or the wait soon */
void vcpu_request_and_kick(struct vcpu *v, enum vcpu_req req);
/* Make @req of every vCPU and return when none is in guest mode with it unserved. */
void vm_request_all(struct vm *vm, enum vcpu_req req);
/* Same of those whose index is set in @who. */
void vm_request_some(struct vm *vm, enum vcpu_req req, const unsigned long *who);
struct vcpu *vm_vcpu_by_id(struct vm *vm, u32 id);
/* Bytes of kernel memory held for VMs beside vm_mm_footprint(); shown by debugfs. */
enum mem_item { MEM_VM, MEM_VCPU, MEM_FPU, MEM_HW, NR_MEM_ITEMS };
void mem_account_item(enum mem_item item, long bytes);
long mem_accounted(enum mem_item item);
static inline void mem_account(long bytes) /* the backends' pages */
{
	mem_account_item(MEM_HW, bytes);
}
/* Calls @fn for every live VM, under the list's mutex. */
void vm_for_each(void (*fn)(struct vm *vm, void *arg), void *arg);
/* Adds up the counters of all vCPUs, also of VMs that have ended. */
void vm_sum_stats(struct vcpu_stats *sum);

static inline unsigned int vm_nr_vcpus(struct vm *vm)
{
	return atomic_read_acquire(&vm->nr_vcpus);
}

/* What KVM_SET_GUEST_DEBUG knows. */
#define VCPU_GUEST_DEBUG                                                            \
	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_SW_BP |   \
	 KVM_GUESTDBG_USE_HW_BP | KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP | \
	 KVM_GUESTDBG_BLOCKIRQ)

/* Deviations from the architecture that clients rely on unless they are switched off. */
#define VM_QUIRKS                                                             \
	(KVM_X86_QUIRK_LINT0_REENABLED | KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT | \
	 KVM_X86_QUIRK_FIX_HYPERCALL_INSN | KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS)

static inline bool vm_has_quirk(const struct vm *vm, u64 quirk)
{
	return !(READ_ONCE(vm->disabled_quirks) & quirk);
}

#define vm_for_each_vcpu(vm, i, v) \
	for ((i) = 0; (i) < vm_nr_vcpus(vm) && ((v) = (vm)->vcpus[i], true); (i)++)

/* The address space of guest memory that it uses now (mm/mm.h). */
static inline unsigned int vcpu_as(const struct vcpu *v)
{
	return v->smm;
}

/* vcpu/run.c -------------------------------------------------------------- */
int vcpu_run(struct vcpu *v); /* KVM_RUN, mutex held, loaded */
bool vcpu_ready_for_user_irq(struct vcpu *v);

/* vcpu/reset.c ------------------------------------------------------------ */
void vcpu_reset(struct vcpu *v, bool init); /* SDM "Processor State After Reset" */

/* vcpu/event.c: raise events; (v) unless noted ----------------------------- */
void vcpu_inject_exception(struct vcpu *v, u8 vector);
void vcpu_inject_exception_err(struct vcpu *v, u8 vector, u32 error);
void vcpu_inject_pf(struct vcpu *v, u64 cr2, u32 error);
void vcpu_inject_gp(struct vcpu *v);
void vcpu_inject_ud(struct vcpu *v);
void vcpu_inject_db(struct vcpu *v, u64 dr6_bits);
void vcpu_post_nmi(struct vcpu *v);		/* any context */
void vcpu_post_init(struct vcpu *v);		/* any context */
void vcpu_post_sipi(struct vcpu *v, u8 vector); /* any context */
void vcpu_post_smi(struct vcpu *v);		/* any context */
int vcpu_skip_insn(struct vcpu *v);		/* by v->exit.insn_len, or by decoding */
bool vcpu_irq_allowed(struct vcpu *v);
int vcpu_queue_user_irq(struct vcpu *v, u32 vector); /* KVM_INTERRUPT */
bool vcpu_injected_irq(const struct vcpu *v, u8 *vector);
void vcpu_get_events(struct vcpu *v, struct kvm_vcpu_events *e);
int vcpu_set_events(struct vcpu *v, const struct kvm_vcpu_events *e);

/* mce.c */
#define MCE_MAX_BANKS	  32
#define MCE_CAP_SUPPORTED (MCG_CTL_P | MCG_SER_P | MCG_CMCI_P) /* <asm/mce.h> */
int vcpu_mce_create(struct vcpu *v);
void vcpu_mce_reset(struct vcpu *v);
int vcpu_setup_mce(struct vcpu *v, u64 cap);
int vcpu_set_mce(struct vcpu *v, const struct kvm_x86_mce *m);

/* vcpu/cr.c: control and debug registers as an instruction or an ioctl sets them */
int vcpu_set_cr0(struct vcpu *v, u64 val); /* 0, or 1 = #GP must follow */
int vcpu_set_cr3(struct vcpu *v, u64 val);
int vcpu_set_cr4(struct vcpu *v, u64 val);
int vcpu_set_cr8(struct vcpu *v, u64 val);
int vcpu_set_efer(struct vcpu *v, u64 val, bool host_initiated);
int vcpu_set_xcr0(struct vcpu *v, u64 val);
u64 vcpu_get_cr8(struct vcpu *v);
int vcpu_set_dr(struct vcpu *v, int nr, u64 val);
u64 vcpu_get_dr(struct vcpu *v, int nr);
u64 vcpu_cr4_reserved(struct vcpu *v); /* from CPUID */
int vcpu_maxphyaddr(struct vcpu *v);

/* vcpu/regs.c: the KVM API's register structs, used by api/ ----------------- */
void vcpu_get_regs(struct vcpu *v, struct kvm_regs *r);
void vcpu_set_regs(struct vcpu *v, const struct kvm_regs *r);
void vcpu_get_sregs(struct vcpu *v, struct kvm_sregs *s);
int vcpu_set_sregs(struct vcpu *v, const struct kvm_sregs *s);
void vcpu_get_sregs2(struct vcpu *v, struct kvm_sregs2 *s);
int vcpu_set_sregs2(struct vcpu *v, const struct kvm_sregs2 *s);
void vcpu_get_debugregs(struct vcpu *v, struct kvm_debugregs *d);
int vcpu_set_debugregs(struct vcpu *v, const struct kvm_debugregs *d);
int vcpu_set_guest_debug(struct vcpu *v, const struct kvm_guest_debug *d);
int vcpu_get_mp_state(struct vcpu *v, struct kvm_mp_state *s);
int vcpu_set_mp_state(struct vcpu *v, const struct kvm_mp_state *s);
int vcpu_translate(struct vcpu *v, struct kvm_translation *t);

/* vcpu/fpu.c -------------------------------------------------------------- */
int vcpu_fpu_create(struct vcpu *v);
void vcpu_fpu_free(struct vcpu *v);
void vcpu_fpu_reset(struct vcpu *v, bool init);
void vcpu_fpu_load(struct vcpu *v); /* preemption off until vcpu_fpu_save() */
void vcpu_fpu_save(struct vcpu *v);
void vcpu_fpu_check_xcr0(struct vcpu *v); /* SVM, after each exit */
void vcpu_get_fpu(struct vcpu *v, struct kvm_fpu *f);
void vcpu_set_fpu(struct vcpu *v, const struct kvm_fpu *f);
void vcpu_get_xsave(struct vcpu *v, void *buf, size_t size);
int vcpu_set_xsave(struct vcpu *v, const void *buf, size_t size);
size_t vcpu_xsave_size(struct vcpu *v);
void vcpu_get_xcrs(struct vcpu *v, struct kvm_xcrs *x);
int vcpu_set_xcrs(struct vcpu *v, const struct kvm_xcrs *x);
void vcpu_get_xmm(struct vcpu *v, int nr, u8 val[16]);
void vcpu_set_xmm(struct vcpu *v, int nr, const u8 val[16]);
u64 fpu_supported_xcr0(void);
u32 vcpu_get_pkru(struct vcpu *v);
u32 vcpu_get_pkru(struct vcpu *v);

/* vcpu/cpuid.c ------------------------------------------------------------- */
int cpuid_supported(struct kvm_cpuid_entry2 *out, u32 *nent); /* -E2BIG with *nent = needed */
int vcpu_set_cpuid(struct vcpu *v, const struct kvm_cpuid_entry2 *e, u32 nent);
int vcpu_get_cpuid(struct vcpu *v, struct kvm_cpuid_entry2 *out, u32 *nent);
void vcpu_free_cpuid(struct vcpu *v);
/* What depends on CR4, XCR0 and APIC base in CPUID, and on CPUID in the vCPU (cr4_reserved,
 * guest_xcr0, maxphyaddr): called after SET_CPUID2 and after each such change. */
void vcpu_cpuid_update(struct vcpu *v);
void vcpu_cpuid(struct vcpu *v, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx); /* the instruction */
u32 vcpu_cpuid_signature(struct vcpu *v);			 /* leaf 1 EAX, RDX after reset */
bool vcpu_has_feature(struct vcpu *v, unsigned int x86_feature); /* X86_FEATURE_*, guest's CPUID */
bool vcpu_has_pv_feature(struct vcpu *v, unsigned int kvm_feature); /* KVM_FEATURE_* */
bool vcpu_is_intel(struct vcpu *v);

/* vcpu/msr.c: 0, 1 = #GP; -ENOENT unknown. host: from user space, fewer checks */
int vcpu_get_msr(struct vcpu *v, u32 index, u64 *val, bool host);
int vcpu_set_msr(struct vcpu *v, u32 index, u64 val, bool host);
void vcpu_msr_init(struct vcpu *v);   /* at creation */
int msr_index_list(u32 *out, u32 *n); /* -E2BIG with *n = needed */
int msr_feature_list(u32 *out, u32 *n);
int msr_get_feature(u32 index, u64 *val);
int vcpu_handle_rdmsr(struct vcpu *v); /* exit handlers: filter, user exit, #GP */
int vcpu_handle_wrmsr(struct vcpu *v);
bool vcpu_wrmsr_is_atomic(struct vcpu *v);  /* neither sleeps nor needs user space */
bool vcpu_rdmsr_is_atomic(struct vcpu *v);  /* same */
void vcpu_apply_msr_filter(struct vcpu *v); /* serve REQ_MSR_FILTER */
int vm_set_msr_filter(struct vm *vm, const struct kvm_msr_filter *f); /* bitmaps copied in */

/* vcpu/kvmclock.c ----------------------------------------------------------- */
int vcpu_clock_create(struct vcpu *v);
void vcpu_clock_free(struct vcpu *v);
void vcpu_clock_update(struct vcpu *v); /* serve REQ_CLOCK_UPDATE */
int vcpu_clock_set_msr(struct vcpu *v, u32 index, u64 val, bool host);
int vcpu_clock_get_msr(struct vcpu *v, u32 index, u64 *val);
int vm_get_clock(struct vm *vm, struct kvm_clock_data *c);
int vm_set_clock(struct vm *vm, const struct kvm_clock_data *c);
int vcpu_clock_ctrl(struct vcpu *v); /* KVM_KVMCLOCK_CTRL */
u64 vcpu_read_tsc(struct vcpu *v);   /* L1's TSC now */
void vcpu_write_tsc(struct vcpu *v, u64 val, bool host);
void vcpu_tsc_catch_up(struct vcpu *v); /* after a suspend of the host */
void tsc_host_suspends(void);
void tsc_host_resumed(void);
void vcpu_set_tsc_offset(struct vcpu *v, u64 offset);
void vcpu_adjust_tsc(struct vcpu *v, u64 delta); /* TSC and offset move by this much */
void vcpu_clock_reset(struct vcpu *v);		 /* RESET or INIT: the guest's pages are gone */
u32 vcpu_tsc_khz(struct vcpu *v);
int vcpu_set_tsc_khz(struct vcpu *v, u32 khz);

/* vcpu/steal.c ---------------------------------------------------------------- */
bool steal_supported(void);
int vcpu_steal_set_msr(struct vcpu *v, u64 val); /* 0, or 1 = #GP must follow */
void vcpu_steal_reset(struct vcpu *v);
void vcpu_steal_new_thread(struct vcpu *v);
void vcpu_steal_loaded(struct vcpu *v);	   /* v->steal.msr is enabled */
void vcpu_steal_preempted(struct vcpu *v); /* same; in the scheduler */
void vcpu_steal_update(struct vcpu *v);	   /* serve REQ_STEAL_UPDATE */

/* vcpu/emulate.c: one instruction at RIP; enum vcpu_next or -errno ----------- */
int vcpu_emulate(struct vcpu *v);
int vcpu_emulate_complete(struct vcpu *v);	       /* after user space answered an exit */
int vcpu_internal_error(struct vcpu *v, u32 suberror); /* fills v->run with the bytes */

#endif /* TURTLES_VCPU_VCPU_H */
