/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the core and a hardware backend. Nothing above hw/
 * knows more of the hardware than this file; nothing in hw/ calls upwards but
 * into the few functions named at the end.
 *
 * A vCPU has two hardware contexts: 01 runs L1, 02 runs L2. Every accessor
 * works on the context that is current. Unless said otherwise an operation is
 * called by the vCPU's own thread, with the vCPU loaded (vcpu_load()) and
 * preemption possible; the backend makes its context current when it has to.
 */
#ifndef TURTLES_HW_HW_H
#define TURTLES_HW_HW_H

#include <linux/types.h>
#include "hw/exit.h"
#include "hw/x86_state.h"

struct vcpu;
struct vm;
struct vmcs12;
struct l2_controls;
struct hw_nested_caps;

/**
 * struct pt_format - entry format of the hardware's second-level page tables
 * @levels:	4, or 5 where the hardware (NPT with a 5-level host) walks five
 * @present:	mask: any of these bits set means present
 * @table:	bits of every non-leaf entry
 * @read:	bits that permit reads (set in every present leaf)
 * @write:	bit that permits writes
 * @exec:	bit that permits fetches (EPT); 0 when @nx is used
 * @nx:		bit that forbids fetches (NPT); 0 when @exec is used
 * @large:	bit of a 2M or 1G leaf
 * @accessed:	accessed bit, 0 when the hardware keeps none
 * @dirty:	dirty bit, 0 when the hardware keeps none
 * @memtype_wb:	leaf bits for write-back memory
 * @memtype_uc:	leaf bits for uncacheable memory
 * @sw0:	a bit that the hardware ignores, for mm/ to use
 * @sw1:	another
 * @max_level:	largest leaf: 1 = 4K, 2 = 2M, 3 = 1G
 * @exec_only:	the format can express execute without read
 */
struct pt_format {
	u8 levels;
	u8 max_level;
	bool exec_only;
	u64 present;
	u64 table;
	u64 read;
	u64 write;
	u64 exec;
	u64 nx;
	u64 large;
	u64 accessed;
	u64 dirty;
	u64 memtype_wb;
	u64 memtype_uc;
	u64 sw0;
	u64 sw1;
};

/* Interruptibility state, as in SDM "Guest Non-Register State". */
#define INTR_SHADOW_STI	   0x1u
#define INTR_SHADOW_MOV_SS 0x2u
#define INTR_SHADOW_NMI	   0x8u

/*
 * With set_root(): the hardware may not keep accessed and dirty flags in this tree. With
 * them it takes L2's page walks for writes, which the EPT that L1 wrote does not.
 */
#define HW_ROOT_NO_AD 0x1ull

/* Whom an event window is wanted for. */
#define WINDOW_IRQ 0x1u
#define WINDOW_NMI 0x2u

/**
 * struct msr_bitmap_part - bytes of a VMX MSR bitmap
 * @offset: first byte
 * @len:    how many; 0 ends the list
 */
struct msr_bitmap_part {
	u16 offset;
	u16 len;
};

/* What hw_ops.vmcs12_sync() is to bring. */
#define VMCS12_SYNC_WRITES 0x1u
#define VMCS12_SYNC_REST   0x2u

/**
 * struct l2_pages - L1 memory that the hardware uses directly while L2 runs
 * @msr_bitmap:	     L1's MSR bitmap as L0 sees it (4 KiB, read only now, not kept;
 *		     valid in hw_ops.msr_bitmap_parts, or as a whole without them);
 *		     NULL = every MSR access exits
 * @vapic_hpa:	     L1's virtual-APIC page, pinned; 0 = none: CR8 exits
 * @apic_access_hpa: L1's APIC-access page, pinned; 0 = none
 */
struct l2_pages {
	const void *msr_bitmap;
	u64 vapic_hpa;
	u64 apic_access_hpa;
};

/**
 * struct hw_ops - a hardware backend
 *
 * Life of the module and of a CPU:
 * @hardware_setup:   once at load: probe, allocate, fill @pt and @nested_caps;
 *		      -EOPNOTSUPP with a message when this CPU cannot do it
 * @hardware_unsetup: its reverse
 * @cpu_enable:	      VMXON / EFER.SVME on this CPU, interrupts off; -EBUSY when
 *		      another hypervisor owns the CPU: @in_use_flag is set then
 * @cpu_disable:      its reverse, interrupts off; also on reboot and crash
 *
 * Life of a VM and a vCPU (process context, may sleep):
 * @vm_init, @vm_destroy, @vcpu_create, @vcpu_free
 * @vcpu_reset:	      architectural RESET/INIT values of the state held in
 *		      context 01 (SDM "Processor State After Reset"), controls
 * @vcpu_load:	      this vCPU will run on @cpu (preemption off)
 * @vcpu_put:	      it will not, for now: host MSRs restored (preemption off)
 *
 * The world switch:
 * @enter:	      run the current context until the next exit, fill the exit.
 *		      Interrupts off on entry and on return. The guest's x87/SSE/AVX
 *		      registers, XCR0 and debug registers are already in place.
 *		      v->regs[] is loaded and saved (RSP and RIP too), v->rflags,
 *		      v->cr2. Host NMIs that caused the exit have been delivered.
 *
 * State in the current context (guest's view of it):
 * @get_seg .. @set_msr; @set_cr0 etc. take values already checked by the core;
 *		      EFER.LMA, shadow values and masks are the backend's business.
 *		      @get_msr/@set_msr: FS_BASE GS_BASE KERNEL_GS_BASE STAR LSTAR
 *		      CSTAR SYSCALL_MASK SYSENTER_{CS,ESP,EIP} PAT DEBUGCTLMSR TSC_AUX
 *		      SPEC_CTRL; -ENOENT for others
 * @set_pdptrs:	      PDPTEs after the core has emulated what loads them (SDM "PDPTE
 *		      Registers"); a no-op where the hardware walks them itself
 * @get_pdptrs:	      their values; NULL where the hardware walks them itself
 * @get_cpl:	      current privilege level
 * @get_intr_shadow, @set_intr_shadow: INTR_SHADOW_* bits
 * @set_tsc_offset:   guest TSC = host TSC + offset (context 01's; the 02 value
 *		      comes with l2_controls)
 * @l2_set_tsc_offset: 02 is current, and its value has changed
 *
 * Events:
 * @inject:	      event to inject at the next entry, VM-entry interruption-
 *		      information format; info without the valid bit cancels
 * @set_window:	      WINDOW_* wanted: exit with INTERRUPT_WINDOW / NMI_WINDOW
 *		      as soon as such an event could be delivered
 * @set_exc_intercepts: bitmap of vectors 0-31 that L0 wants to see in context
 *		      01; #DF and what the backend itself needs (#UD on SVM for VMX
 *		      instructions, #MC, #AC) are added by the backend
 * @set_dr_intercept: MOV DR exits or not
 * @set_cr8_intercept: @tpr_threshold 0 = CR8 writes need no exit; else exit as
 *		      soon as the guest's TPR class falls below it. CR8 itself is
 *		      v->cr8 on entry and on exit.
 * @set_msr_intercept: for context 01
 *
 * Memory:
 * @set_root:	      second-level root for the current context, physical address, plus
 *		      HW_ROOT_NO_AD
 * @tlb_flush:	      flush all translations of this vCPU (both contexts when
 *		      @all), before the next entry
 * @tlb_flush_gva:    one linear address of the current context
 *
 * @sets_pdpte_a:     the processor marks PDPTEs that it walks through as accessed, where that bit
 *		      is reserved (QEMU's TCG): whoever checks PDPTEs must not mind
 *
 * Nested:
 * @nested_caps:      what this backend can give to context 02
 * @l2_enter:	      make 02 current; load guest state of vmcs12 and controls
 * @l2_set_pages:     02 is current: after each @l2_enter, before the entry, and again
 *		      whenever one of the pages has moved; may be NULL
 * @l2_set_timer:     02 is current and @pin of its controls has the VMX-preemption timer: the host
 *		      TSC at which it expires. NULL unless nested_caps->timer_in_hw
 * @l2_save:	      02 is current, and stays it: save all of its guest state to vmcs12
 * @l2_leave:	      save 02's guest state to vmcs12; make 01 current. Fields that L1 seldom
 *		      looks at may stay behind until @vmcs12_sync wants them.
 *		      vmcs12 NULL: state is dropped (entry failed, vCPU reset)
 * @vmcs12_sync:      bring vmcs12 up to date: with what L1 has written into it without an
 *		      exit (VMCS12_SYNC_WRITES), with what @l2_leave left behind
 *		      (VMCS12_SYNC_REST). An entry needs the first, an access by L1 that
 *		      exits the second, anything else that looks at vmcs12 or replaces it
 *		      both. May be NULL
 * @vmcs12_publish:   01 is current and vmcs12 is L1's current VMCS: L1 may read and write
 *		      parts of it without an exit from here on. After each change by L0:
 *		      the VMCS has become current (@full), an exit from L2, VMfail.
 *		      vmcs12 NULL: L1 has none. May be NULL
 */
struct hw_ops {
	const char *name;
	const char *in_use_flag;
	struct pt_format pt;
	const struct hw_nested_caps *nested_caps;
	const struct msr_bitmap_part *msr_bitmap_parts;
	bool sets_pdpte_a;

	int (*hardware_setup)(void);
	void (*hardware_unsetup)(void);
	int (*cpu_enable)(void);
	void (*cpu_disable)(void);

	int (*vm_init)(struct vm *vm);
	void (*vm_destroy)(struct vm *vm);
	int (*vcpu_create)(struct vcpu *v);
	void (*vcpu_free)(struct vcpu *v);
	void (*vcpu_reset)(struct vcpu *v);
	void (*vcpu_load)(struct vcpu *v, int cpu);
	void (*vcpu_put)(struct vcpu *v);

	void (*enter)(struct vcpu *v, struct vcpu_exit *e);

	void (*get_seg)(struct vcpu *v, enum x86_sreg s, struct x86_seg *out);
	void (*set_seg)(struct vcpu *v, enum x86_sreg s, const struct x86_seg *seg);
	void (*get_gdt)(struct vcpu *v, struct x86_dt *dt);
	void (*set_gdt)(struct vcpu *v, const struct x86_dt *dt);
	void (*get_idt)(struct vcpu *v, struct x86_dt *dt);
	void (*set_idt)(struct vcpu *v, const struct x86_dt *dt);
	u64 (*get_cr0)(struct vcpu *v);
	void (*set_cr0)(struct vcpu *v, u64 cr0);
	u64 (*get_cr3)(struct vcpu *v);
	void (*set_cr3)(struct vcpu *v, u64 cr3);
	void (*set_pdptrs)(struct vcpu *v, const u64 pdpte[4]);
	void (*get_pdptrs)(struct vcpu *v, u64 pdpte[4]);
	u64 (*get_cr4)(struct vcpu *v);
	void (*set_cr4)(struct vcpu *v, u64 cr4);
	u64 (*get_efer)(struct vcpu *v);
	void (*set_efer)(struct vcpu *v, u64 efer);
	u64 (*get_dr7)(struct vcpu *v);
	void (*set_dr7)(struct vcpu *v, u64 dr7);
	int (*get_msr)(struct vcpu *v, u32 index, u64 *val);
	int (*set_msr)(struct vcpu *v, u32 index, u64 val);
	int (*get_cpl)(struct vcpu *v);
	u32 (*get_intr_shadow)(struct vcpu *v);
	void (*set_intr_shadow)(struct vcpu *v, u32 shadow);
	void (*set_tsc_offset)(struct vcpu *v, u64 offset);
	void (*l2_set_tsc_offset)(struct vcpu *v, u64 offset);

	void (*inject)(struct vcpu *v, u32 intr_info, u32 error, u32 insn_len);
	void (*set_window)(struct vcpu *v, u32 windows);
	void (*set_exc_intercepts)(struct vcpu *v, u32 vectors);
	void (*set_dr_intercept)(struct vcpu *v, bool on);
	void (*set_cr8_intercept)(struct vcpu *v, u32 tpr_threshold);
	void (*set_msr_intercept)(struct vcpu *v, u32 index, bool read, bool write);

	void (*set_root)(struct vcpu *v, u64 root_hpa);
	void (*tlb_flush)(struct vcpu *v, bool all);
	void (*tlb_flush_gva)(struct vcpu *v, u64 gva);

	void (*l2_enter)(struct vcpu *v, struct vmcs12 *vmcs12, const struct l2_controls *ctl);
	void (*l2_set_pages)(struct vcpu *v, const struct l2_pages *pages);
	void (*l2_set_timer)(struct vcpu *v, u64 deadline);
	void (*l2_save)(struct vcpu *v, struct vmcs12 *vmcs12);
	void (*l2_leave)(struct vcpu *v, struct vmcs12 *vmcs12);
	void (*vmcs12_sync)(struct vcpu *v, struct vmcs12 *vmcs12, u32 what);
	void (*vmcs12_publish)(struct vcpu *v, const struct vmcs12 *vmcs12, bool full);
};

/* The backend in use; set once before the first VM can exist, then read only. */
extern struct hw_ops *hw;

/*
 * Virtualization is switched on on every CPU with the first VM and off with the last
 * (linux/power.c). hw_power_get(): 0, or -EBUSY when another hypervisor owns a CPU.
 * hw_on_this_cpu(): preemption off; false on a CPU that goes offline.
 */
int hw_power_get(void);
void hw_power_put(void);
bool hw_on_this_cpu(void);

extern struct hw_ops vmx_ops;
extern struct hw_ops svm_ops;

#endif /* TURTLES_HW_HW_H */
