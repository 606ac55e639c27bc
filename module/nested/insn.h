/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX instructions of L1 (SDM chapter "VMX Instruction Reference"):
 * permission checks, operands, and what each does to the VMX state of the vCPU.
 *
 * Each computes a result; the caller applies it to RFLAGS and RIP, delivers the
 * fault, or enters L2. Guest memory and translations are reached through
 * struct nested_ops only. Of L2's only VMREAD and VMWRITE of a shadow VMCS come here; reflect.c
 * gives the others to L1.
 */
#ifndef TURTLES_NESTED_INSN_H
#define TURTLES_NESTED_INSN_H

#include <linux/types.h>
#include "hw/x86_state.h"
#include "nested/caps.h"
#include "nested/vmcs12.h"

/**
 * struct nested_state - VMX operation of one vCPU
 * @vmxon:	   between VMXON and VMXOFF
 * @in_l2:	   in VMX non-root operation
 * @vmxon_ptr:	   VMXON region, VMCS12_NO_PTR outside VMX operation
 * @current_vmptr: current VMCS, VMCS12_NO_PTR if none
 * @evmcs_ptr:	   active enlightened VMCS, VMCS12_NO_PTR if none, or EVMCS_PENDING. Never both
 * @vmcs12:	   working copy of the one of them; its memory is the caller's
 * @dirty:	   1 << enum vmcs12_kind for kinds of fields that were written
 *		   since the caller last cleared it
 *
 * Owned by the vCPU's thread.
 */
struct nested_state {
	bool vmxon;
	bool in_l2;
	u64 vmxon_ptr;
	u64 current_vmptr;
	u64 evmcs_ptr;
	struct vmcs12 *vmcs12;
	u32 dirty;
};

#define NESTED_DIRTY_ALL (~0u)

/**
 * struct vmx_operand - operands of a VMX instruction
 * @is_reg:  the ModRM operand is a register, @reg
 * @linear:  @addr is a linear address, already checked against the segment
 * @seg:     else it is an offset in this segment (enum x86_sreg)
 * @addr:    address of the memory operand
 * @reg:     register of the ModRM operand
 * @reg2:    the other register operand
 *
 * From vmx_operand_decode() on VMX hardware, from the instruction decoder on
 * SVM hardware.
 */
struct vmx_operand {
	bool is_reg;
	bool linear;
	u8 seg;
	u8 reg;
	u8 reg2;
	u64 addr;
};

enum vmx_insn_kind {
	VMX_SUCCEED,
	VMX_FAIL_INVALID,
	VMX_FAIL_VALID, /* error number in @error */
	VMX_FAULT,	/* deliver @vector; RIP stays */
	VMX_ENTER,	/* VMLAUNCH, VMRESUME: go on with the entry checks */
	VMX_ERROR,	/* @err: the caller's own -errno from a callback */
};

/**
 * struct vmx_insn_result - what a VMX instruction comes to
 * @kind:      see above
 * @vector:    exception vector
 * @has_error: it has an error code
 * @error:     error code, or VM-instruction error number
 * @cr2:       faulting address of a #PF
 * @err:       -errno of VMX_ERROR
 */
struct vmx_insn_result {
	enum vmx_insn_kind kind;
	u8 vector;
	bool has_error;
	u32 error;
	u64 cr2;
	int err;
};

/**
 * struct nested_ops - the world outside the core
 * @read_gpa, @write_gpa: L1's memory; 0, or nonzero when it is not there
 * @read_mem, @write_mem: the memory operand. 0; or 1 with a fault in the result;
 *	or -errno when the access must be retried or user space is needed
 * @invept: drop translations of one EPTP or all
 * @invvpid: drop translations as INVVPID does; @type as in the instruction
 * @vmcs_changing: optional; the current VMCS will be written back and left. Make
 *	the working copy complete
 *
 * @ctx is the first argument of all.
 */
struct nested_ops {
	int (*read_gpa)(void *ctx, u64 gpa, void *buf, u32 len);
	int (*write_gpa)(void *ctx, u64 gpa, const void *buf, u32 len);
	int (*read_mem)(void *ctx, const struct vmx_operand *op, void *buf, u32 len,
			struct vmx_insn_result *fault);
	int (*write_mem)(void *ctx, const struct vmx_operand *op, const void *buf, u32 len,
			 struct vmx_insn_result *fault);
	void (*invept)(void *ctx, bool single, u64 eptp);
	void (*invvpid)(void *ctx, u32 type, u16 vpid, u64 gla);
	void (*vmcs_changing)(void *ctx);
};

/**
 * struct vmx_insn - a VMX instruction to execute
 * @ns:	    VMX state, changed
 * @caps:   capabilities of this VM
 * @ops, @ctx: the world
 * @op:	    operands; may be left out for instructions without
 * @regs:   general-purpose registers, changed by VMREAD
 * @cr0, @cr4, @rflags, @efer: L1's
 * @evmcs:  EVMCS_SIZE bytes for L0's copy of an enlightened VMCS; NULL if L1 may not use any
 * @vp_assist: then the VP assist page
 * @clean:  groups of the enlightened VMCS that were clean at VMX_ENTER
 * @feature_control: IA32_FEATURE_CONTROL
 * @cpl:    current privilege level
 * @cs_l:   L bit of CS
 * @blocked_by_mov_ss: interrupt shadow of MOV SS or POP SS
 * @maxphyaddr, @linear_bits: address widths
 */
struct vmx_insn {
	struct nested_state *ns;
	const struct vmx_caps *caps;
	const struct nested_ops *ops;
	void *ctx;
	struct vmx_operand op;
	u64 *regs;
	void *evmcs;
	u64 vp_assist;
	u32 clean;
	u64 cr0;
	u64 cr4;
	u64 rflags;
	u64 efer;
	u64 feature_control;
	u8 cpl;
	bool cs_l;
	bool blocked_by_mov_ss;
	u8 maxphyaddr;
	u8 linear_bits;
};

void vmx_insn_execute(struct vmx_insn *i, u32 exit_reason, struct vmx_insn_result *res);
void vmx_insn_result_apply(u64 *rflags, const struct vmx_insn_result *res);
void vmx_insn_fail(struct nested_state *ns, struct vmx_insn_result *res, u32 error);
bool vmx_insn_known(u32 exit_reason);

void vmx_operand_decode(struct vmx_operand *op, u32 insn_info, u64 displacement, const u64 *regs);

/* Is there a VMCS, of either kind? */
static inline bool nested_has_vmcs(const struct nested_state *ns)
{
	return ns->current_vmptr != VMCS12_NO_PTR || ns->evmcs_ptr != VMCS12_NO_PTR;
}

/* Where it is in L1's memory. */
static inline u64 nested_vmcs_ptr(const struct nested_state *ns)
{
	return ns->evmcs_ptr != VMCS12_NO_PTR ? ns->evmcs_ptr : ns->current_vmptr;
}

void nested_state_init(struct nested_state *ns, struct vmcs12 *vmcs12);
int nested_flush_vmcs12(struct nested_state *ns, const struct nested_ops *ops, void *ctx);

#endif /* TURTLES_NESTED_INSN_H */
