/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nesting as the run loop sees it: the glue between the pure core in nested/ and the vCPU.
 */
#ifndef TURTLES_VCPU_NESTED_H
#define TURTLES_VCPU_NESTED_H

#include <linux/types.h>
#include "nested/reflect.h"
#include "vcpu/vcpu.h"

int vcpu_nested_create(struct vcpu *v);
void vcpu_nested_free(struct vcpu *v);
void nested_reset(struct vcpu *v); /* leaves L2 and VMX operation, keeps capabilities */
bool nested_vmxon(struct vcpu *v);
void nested_cpuid_changed(struct vcpu *v);

/* VMX capability MSRs: 0, 1 (#GP, -EINVAL for user space), -ENOENT */
int nested_get_vmx_msr(struct vcpu *v, u32 index, u64 *val, bool host);
int nested_set_vmx_msr(struct vcpu *v, u32 index, u64 val);
int nested_get_vmx_feature_msr(u32 index, u64 *val); /* before any VM */

/* KVM_CAP_HYPERV_ENLIGHTENED_VMCS: nested_evmcs.c. Versions 0: not there, or not enabled */
int nested_enable_evmcs(struct vcpu *v);
u16 nested_evmcs_versions(const struct vcpu *v);

/* Exits. All return enum vcpu_next or -errno. */
int nested_handle_insn(struct vcpu *v); /* a VMX instruction exited (VMX hosts) */
int nested_handle_ud(struct vcpu *v);	/* #UD: a VMX instruction on an SVM host? */
bool nested_fast_insn(struct vcpu *v);	/* VMREAD, VMWRITE without sleeping; */
bool nested_fast_ud(struct vcpu *v);	/* false: nothing done, take the long way */
enum nested_exit_owner nested_exit_is_for(struct vcpu *v); /* whose is v->exit? */
int nested_reflect(struct vcpu *v);			   /* give it to L1 */
int nested_ept_fault_exit(struct vcpu *v, u64 l2gpa, u64 gla, u64 qual, bool misconfig);
int nested_triple_fault(struct vcpu *v);
int nested_entry_failed(struct vcpu *v); /* the hardware refused L2's state */
int nested_hw_error(struct vcpu *v);	 /* the hardware refused the controls */

/* Events while L2 runs: nested exits that they cause. */
int nested_check_events(struct vcpu *v);
bool nested_exits_on_irq(struct vcpu *v); /* in L2, and interrupts are L1's */
bool nested_exits_on_nmi(struct vcpu *v);
bool nested_timer_expired(struct vcpu *v);
void nested_timer_block(struct vcpu *v); /* around a wait */
void nested_timer_unblock(struct vcpu *v);

/* KVM_GET/SET_NESTED_STATE, and what other state of L2 that comes by ioctl needs. */
void nested_get_state(struct vcpu *v, struct kvm_nested_state *s);
int nested_set_state(struct vcpu *v, const struct kvm_nested_state *s);
int nested_resume(struct vcpu *v);	     /* serve REQ_L2_RESTORED */
void nested_leave(struct vcpu *v);	     /* by user space */
bool nested_event_due(const struct vcpu *v); /* VM entry's event is not looked at yet */
void nested_untake_event(struct vcpu *v);    /* before events are looked at by ioctl */
void nested_regs_set(struct vcpu *v);	     /* SET_SREGS */
void nested_tsc_changed(struct vcpu *v);     /* L1's TSC moved */

/* System-management mode: VMX operation is left at entry and entered again by RSM. */
int nested_enter_smm(struct vcpu *v);
void nested_leave_smm(struct vcpu *v, u64 *cr0, u64 *cr4);

/* Control registers. */
bool nested_cr0_allowed(struct vcpu *v, u64 cr0); /* VMX operation fixes bits */
bool nested_cr4_allowed(struct vcpu *v, u64 cr4);
u64 nested_merge_cr0(struct vcpu *v, u64 val); /* L2's write with L1's bits kept */
u64 nested_merge_cr4(struct vcpu *v, u64 val);
u64 nested_read_cr0(struct vcpu *v); /* what MOV from CR0 gives */
u64 nested_read_cr4(struct vcpu *v);
int nested_load_pdptrs(struct vcpu *v, u64 cr3);

/* Memory. */
bool nested_uses_ept(struct vcpu *v); /* in L2, and L1 gave it EPT */
u64 nested_eptp(struct vcpu *v);
int nested_reload_pages(struct vcpu *v); /* pinned L1 pages may have moved */

#endif /* TURTLES_VCPU_NESTED_H */
