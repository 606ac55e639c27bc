// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX instruction semantics. The functions follow the "Operation" sections of
 * SDM chapter "VMX Instruction Reference", condition by condition.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>
#include "nested/check.h"
#include "nested/evmcs.h"
#include "nested/insn.h"

/* IA32_FEATURE_CONTROL: locked, VMX allowed outside SMX. */
#define FEATURE_CONTROL_VMX    (1ull << 0 | 1ull << 2)

#define INVVPID_ADDRESS	       0
#define INVVPID_SINGLE	       1
#define INVVPID_ALL	       2
#define INVVPID_SINGLE_GLOBALS 3
#define INVEPT_SINGLE	       1
#define INVEPT_ALL	       2

/* -- Results --------------------------------------------------------------- */

static void succeed(struct vmx_insn_result *res)
{
	res->kind = VMX_SUCCEED;
}

static void fail_invalid(struct vmx_insn_result *res)
{
	res->kind = VMX_FAIL_INVALID;
}

static void fault(struct vmx_insn_result *res, u8 vector)
{
	res->kind = VMX_FAULT;
	res->vector = vector;
	res->has_error = vector == X86_TRAP_GP;
	res->error = 0;
}

/**
 * vmx_insn_fail - VMfail(error)
 * @ns:	   VMX state
 * @res:   result
 * @error: VM-instruction error number
 *
 * SDM "Conventions": the number goes into the current VMCS, if there is one.
 */
void vmx_insn_fail(struct nested_state *ns, struct vmx_insn_result *res, u32 error)
{
	if (!nested_has_vmcs(ns)) {
		fail_invalid(res);
		return;
	}
	res->kind = VMX_FAIL_VALID;
	res->error = error;
	ns->vmcs12->vm_instruction_error = error;
}

/**
 * vmx_insn_result_apply - arithmetic flags after a VMX instruction
 * @rflags: changed
 * @res:    a result that completes the instruction
 */
void vmx_insn_result_apply(u64 *rflags, const struct vmx_insn_result *res)
{
	*rflags &= ~(u64)(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF |
			  X86_EFLAGS_SF | X86_EFLAGS_OF);
	if (res->kind == VMX_FAIL_INVALID)
		*rflags |= X86_EFLAGS_CF;
	else if (res->kind == VMX_FAIL_VALID)
		*rflags |= X86_EFLAGS_ZF;
}

/* -- Operands -------------------------------------------------------------- */

/**
 * vmx_operand_decode - operands from the VM-exit instruction information
 * @op:		  result
 * @insn_info:	  SDM "VM-Exit Instruction-Information Field" for VMX instructions
 * @displacement: the exit qualification: displacement, RIP already added
 * @regs:	  general-purpose registers
 */
void vmx_operand_decode(struct vmx_operand *op, u32 insn_info, u64 displacement, const u64 *regs)
{
	u32 address_size = insn_info >> 7 & 7;
	u64 addr = displacement;

	*op = (struct vmx_operand){
		.is_reg = insn_info >> 10 & 1,
		.reg = insn_info >> 3 & 0xf,
		.reg2 = insn_info >> 28 & 0xf,
	};
	if (op->is_reg)
		return;
	op->seg = insn_info >> 15 & 7;
	if (op->seg > X86_GS)
		op->seg = X86_DS; /* undefined encodings; hardware has none */
	if (!(insn_info >> 27 & 1))
		addr += regs[insn_info >> 23 & 0xf];
	if (!(insn_info >> 22 & 1))
		addr += regs[insn_info >> 18 & 0xf] << (insn_info & 3);
	if (address_size == 0)
		addr &= 0xffff;
	else if (address_size == 1)
		addr &= 0xffffffff;
	op->addr = addr;
}

static bool is_64bit(const struct vmx_insn *i)
{
	return (i->efer & EFER_LMA) && i->cs_l;
}

/* A register operand: 64 bits in 64-bit mode, else 32. */
static u64 get_reg(const struct vmx_insn *i, u8 reg)
{
	u64 val = i->regs[reg & 0xf];

	return is_64bit(i) ? val : (u32)val;
}

/* A memory access that failed; true when the instruction ends here. */
static bool mem_failed(int r, struct vmx_insn_result *res)
{
	if (!r)
		return false;
	if (r < 0) {
		res->kind = VMX_ERROR;
		res->err = r;
	} else {
		res->kind = VMX_FAULT;
	}
	return true;
}

static bool read_operand(struct vmx_insn *i, void *buf, u32 len, struct vmx_insn_result *res)
{
	return !mem_failed(i->ops->read_mem(i->ctx, &i->op, buf, len, res), res);
}

/* -- Conditions that the instructions share -------------------------------- */

/* #UD in real and virtual-8086 mode, and in compatibility mode. */
static bool mode_ok(const struct vmx_insn *i)
{
	return (i->cr0 & X86_CR0_PE) && !(i->rflags & X86_EFLAGS_VM) &&
	       (!(i->efer & EFER_LMA) || i->cs_l);
}

/* All but VMXON. Fills the fault when the instruction may not execute. */
static bool may_execute(const struct vmx_insn *i, struct vmx_insn_result *res)
{
	if (!mode_ok(i) || !i->ns->vmxon) {
		fault(res, X86_TRAP_UD);
		return false;
	}
	if (i->cpl > 0) {
		fault(res, X86_TRAP_GP);
		return false;
	}
	return true;
}

/* The same for instructions with a memory operand only. */
static bool may_execute_mem(const struct vmx_insn *i, struct vmx_insn_result *res)
{
	if (i->op.is_reg) {
		fault(res, X86_TRAP_UD);
		return false;
	}
	return may_execute(i, res);
}

/* Reads the 64-bit physical address that VMXON, VMCLEAR and VMPTRLD take. */
static bool read_pointer(struct vmx_insn *i, u64 *ptr, struct vmx_insn_result *res)
{
	return read_operand(i, ptr, sizeof(*ptr), res);
}

/* -- The current VMCS ------------------------------------------------------ */

/**
 * nested_state_init - VMX state after reset
 * @ns:	    to fill
 * @vmcs12: memory for the working copy
 */
void nested_state_init(struct nested_state *ns, struct vmcs12 *vmcs12)
{
	*ns = (struct nested_state){
		.vmxon_ptr = VMCS12_NO_PTR,
		.current_vmptr = VMCS12_NO_PTR,
		.evmcs_ptr = VMCS12_NO_PTR,
		.vmcs12 = vmcs12,
		.dirty = NESTED_DIRTY_ALL,
	};
}

/**
 * nested_flush_vmcs12 - write the working copy back to L1's memory
 * @ns:	 VMX state
 * @ops: the world
 * @ctx: its context
 *
 * The VMCS stays current. Returns 0, or nonzero when the memory is not there.
 */
int nested_flush_vmcs12(struct nested_state *ns, const struct nested_ops *ops, void *ctx)
{
	if (ns->current_vmptr == VMCS12_NO_PTR)
		return 0;
	if (ops->vmcs_changing)
		ops->vmcs_changing(ctx);
	return ops->write_gpa(ctx, ns->current_vmptr, ns->vmcs12, VMCS12_SIZE);
}

/*
 * Leave the current VMCS. If its memory is gone its contents are lost, which is
 * what hardware would do as well.
 */
static void drop_current(struct vmx_insn *i)
{
	(void)nested_flush_vmcs12(i->ns, i->ops, i->ctx);
	i->ns->current_vmptr = VMCS12_NO_PTR;
	/* An enlightened one has had everything written back at the exit. */
	i->ns->evmcs_ptr = VMCS12_NO_PTR;
	i->ns->dirty = NESTED_DIRTY_ALL;
}

/* -- VMXON, VMXOFF --------------------------------------------------------- */

static bool vmxon_allowed(const struct vmx_insn *i)
{
	const struct vmx_caps *caps = i->caps;

	return i->cpl == 0 && vmx_fixed_bits_ok(i->cr0, caps->cr0_fixed0, caps->cr0_fixed1) &&
	       vmx_fixed_bits_ok(i->cr4, caps->cr4_fixed0, caps->cr4_fixed1) &&
	       (i->feature_control & FEATURE_CONTROL_VMX) == FEATURE_CONTROL_VMX;
}

static void insn_vmxon(struct vmx_insn *i, struct vmx_insn_result *res)
{
	u32 revision;
	u64 ptr;

	if (i->op.is_reg || !mode_ok(i) || !(i->cr4 & X86_CR4_VMXE))
		return fault(res, X86_TRAP_UD);
	if (i->ns->vmxon) {
		if (i->cpl > 0)
			return fault(res, X86_TRAP_GP);
		return vmx_insn_fail(i->ns, res, VMXERR_VMXON_IN_VMX_ROOT_OPERATION);
	}
	if (!vmxon_allowed(i))
		return fault(res, X86_TRAP_GP);
	if (!read_pointer(i, &ptr, res))
		return;
	if (!page_addr_ok(i->maxphyaddr, ptr) ||
	    i->ops->read_gpa(i->ctx, ptr, &revision, sizeof(revision)) ||
	    revision != VMCS12_REVISION)
		return fail_invalid(res);
	i->ns->vmxon = true;
	i->ns->vmxon_ptr = ptr;
	i->ns->current_vmptr = VMCS12_NO_PTR;
	i->ns->evmcs_ptr = VMCS12_NO_PTR;
	succeed(res);
}

static void insn_vmxoff(struct vmx_insn *i, struct vmx_insn_result *res)
{
	if (!may_execute(i, res))
		return;
	drop_current(i);
	i->ns->vmxon = false;
	i->ns->vmxon_ptr = VMCS12_NO_PTR;
	succeed(res);
}

/* -- VMCLEAR, VMPTRLD, VMPTRST --------------------------------------------- */

/* Which kind of VMCS memory holds cannot be seen: as long as entries are enlightened, all of it. */
static bool is_enlightened(const struct vmx_insn *i)
{
	u64 ptr;

	return i->evmcs && evmcs_assist_read(i->ops, i->ctx, i->vp_assist, &ptr);
}

static void insn_vmclear(struct vmx_insn *i, struct vmx_insn_result *res)
{
	u32 clear = VMCS12_CLEAR;
	u64 ptr;

	if (!may_execute_mem(i, res) || !read_pointer(i, &ptr, res))
		return;
	if (!page_addr_ok(i->maxphyaddr, ptr))
		return vmx_insn_fail(i->ns, res, VMXERR_VMCLEAR_INVALID_ADDRESS);
	if (ptr == i->ns->vmxon_ptr)
		return vmx_insn_fail(i->ns, res, VMXERR_VMCLEAR_VMXON_POINTER);
	if (ptr == i->ns->current_vmptr) {
		i->ns->vmcs12->launch_state = VMCS12_CLEAR;
		drop_current(i);
	} else if (ptr == i->ns->evmcs_ptr) {
		drop_current(i);
	} else if (!is_enlightened(i)) {
		/* Memory that is not there cannot be launched either. */
		(void)i->ops->write_gpa(i->ctx, ptr + offsetof(struct vmcs12, launch_state), &clear,
					sizeof(clear));
	}
	succeed(res);
}

/* The shadow-VMCS indicator may be set where VMCS shadowing is offered. */
static bool revision_ok(const struct vmx_caps *caps, u32 revision)
{
	if (caps->proc2.may1 & SECONDARY_EXEC_SHADOW_VMCS)
		revision &= ~VMCS12_SHADOW;
	return revision == VMCS12_REVISION;
}

static void insn_vmptrld(struct vmx_insn *i, struct vmx_insn_result *res)
{
	u32 revision;
	u64 ptr;

	if (!may_execute_mem(i, res) || !read_pointer(i, &ptr, res))
		return;
	if (!page_addr_ok(i->maxphyaddr, ptr))
		return vmx_insn_fail(i->ns, res, VMXERR_VMPTRLD_INVALID_ADDRESS);
	if (ptr == i->ns->vmxon_ptr)
		return vmx_insn_fail(i->ns, res, VMXERR_VMPTRLD_VMXON_POINTER);
	if (i->ops->read_gpa(i->ctx, ptr, &revision, sizeof(revision)) ||
	    !revision_ok(i->caps, revision))
		return vmx_insn_fail(i->ns, res, VMXERR_VMPTRLD_INCORRECT_VMCS_REVISION_ID);
	if (ptr == i->ns->current_vmptr)
		return succeed(res);

	drop_current(i);
	if (i->ops->read_gpa(i->ctx, ptr, i->ns->vmcs12, VMCS12_SIZE))
		return fail_invalid(res);
	/* L1 may have changed it between the two reads; what was checked counts. */
	i->ns->vmcs12->revision_id = revision;
	i->ns->current_vmptr = ptr;
	succeed(res);
}

static void insn_vmptrst(struct vmx_insn *i, struct vmx_insn_result *res)
{
	u64 ptr = i->ns->current_vmptr;
	int r;

	if (!may_execute_mem(i, res))
		return;
	r = i->ops->write_mem(i->ctx, &i->op, &ptr, sizeof(ptr), res);
	if (!mem_failed(r, res))
		succeed(res);
}

/* -- VMREAD, VMWRITE ------------------------------------------------------- */

/* The field that the register operand names, or NULL with the failure filled. */
static const struct vmcs12_field *operand_field(struct vmx_insn *i, u64 *encoding,
						struct vmx_insn_result *res)
{
	const struct vmcs12_field *f;

	if (i->ns->current_vmptr == VMCS12_NO_PTR) {
		fail_invalid(res);
		return NULL;
	}
	*encoding = get_reg(i, i->op.reg2);
	f = vmcs12_find(*encoding);
	if (f && vmx_caps_has(i->caps, f->needs))
		return f;
	vmx_insn_fail(i->ns, res, VMXERR_UNSUPPORTED_VMCS_COMPONENT);
	return NULL;
}

/*
 * VMREAD with an enlightened VMCS: the TLFS forbids it, Windows does it. What L1 would read in the
 * page itself; false with the failure filled.
 */
static bool read_enlightened(struct vmx_insn *i, u64 *val, struct vmx_insn_result *res)
{
	u64 encoding = get_reg(i, i->op.reg2);
	const struct vmcs12_field *f = vmcs12_find(encoding);
	int offset = f ? evmcs_offset(f) : -ENOENT;

	*val = 0;
	if (offset < 0) {
		vmx_insn_fail(i->ns, res, VMXERR_UNSUPPORTED_VMCS_COMPONENT);
		return false;
	}
	if (i->ns->evmcs_ptr == EVMCS_PENDING ||
	    i->ops->read_gpa(i->ctx, i->ns->evmcs_ptr + offset, val, f->size)) {
		fail_invalid(res);
		return false;
	}
	*val = vmcs12_half(encoding, *val);
	return true;
}

static bool read_field(struct vmx_insn *i, u64 *val, struct vmx_insn_result *res)
{
	u64 encoding;

	if (i->ns->evmcs_ptr != VMCS12_NO_PTR)
		return read_enlightened(i, val, res);
	if (!operand_field(i, &encoding, res))
		return false;
	if (!vmcs12_read(i->ns->vmcs12, encoding, val))
		return true;
	vmx_insn_fail(i->ns, res, VMXERR_UNSUPPORTED_VMCS_COMPONENT);
	return false;
}

static void insn_vmread(struct vmx_insn *i, struct vmx_insn_result *res)
{
	u64 val;
	int r;

	if (!may_execute(i, res) || !read_field(i, &val, res))
		return;
	if (i->op.is_reg) {
		i->regs[i->op.reg & 0xf] = is_64bit(i) ? val : (u32)val;
		return succeed(res);
	}
	r = i->ops->write_mem(i->ctx, &i->op, &val, is_64bit(i) ? 8 : 4, res);
	if (!mem_failed(r, res))
		succeed(res);
}

static void insn_vmwrite(struct vmx_insn *i, struct vmx_insn_result *res)
{
	const struct vmcs12_field *f;
	u64 encoding, val = 0;

	if (!may_execute(i, res))
		return;
	f = operand_field(i, &encoding, res);
	if (!f)
		return;
	if (f->access == VMCS12_RO && !(i->caps->misc & CAP_MISC_VMWRITE_ANY))
		return vmx_insn_fail(i->ns, res, VMXERR_VMWRITE_READ_ONLY_VMCS_COMPONENT);
	if (i->op.is_reg)
		val = get_reg(i, i->op.reg);
	else if (!read_operand(i, &val, is_64bit(i) ? 8 : 4, res))
		return;
	if (vmcs12_write(i->ns->vmcs12, encoding, val))
		return vmx_insn_fail(i->ns, res, VMXERR_UNSUPPORTED_VMCS_COMPONENT);
	i->ns->dirty |= 1u << f->kind;
	succeed(res);
}

/* -- INVEPT, INVVPID ------------------------------------------------------- */

static bool invept_type_ok(const struct vmx_caps *caps, u64 type)
{
	if (type == INVEPT_SINGLE)
		return caps->ept_vpid & CAP_EPT_INVEPT_SINGLE;
	return type == INVEPT_ALL && (caps->ept_vpid & CAP_EPT_INVEPT_GLOBAL);
}

static void insn_invept(struct vmx_insn *i, struct vmx_insn_result *res)
{
	struct {
		u64 eptp;
		u64 reserved;
	} desc;
	u64 type;

	if (!(i->caps->ept_vpid & CAP_EPT_INVEPT) || !vmx_caps_has(i->caps, VMCS12_NEEDS_EPT))
		return fault(res, X86_TRAP_UD);
	if (!may_execute_mem(i, res))
		return;
	type = get_reg(i, i->op.reg2);
	if (!invept_type_ok(i->caps, type))
		return vmx_insn_fail(i->ns, res, VMXERR_INVALID_OPERAND_TO_INVEPT_INVVPID);
	if (!read_operand(i, &desc, sizeof(desc), res))
		return;
	if (desc.reserved ||
	    (type == INVEPT_SINGLE && !nested_eptp_valid(i->caps, i->maxphyaddr, desc.eptp)))
		return vmx_insn_fail(i->ns, res, VMXERR_INVALID_OPERAND_TO_INVEPT_INVVPID);
	i->ops->invept(i->ctx, type == INVEPT_SINGLE, desc.eptp);
	succeed(res);
}

static bool invvpid_type_ok(const struct vmx_caps *caps, u64 type)
{
	/* The four type bits of the capability MSR are in the order of the types. */
	return type <= INVVPID_SINGLE_GLOBALS && (caps->ept_vpid & (CAP_VPID_ADDRESS << type));
}

static void insn_invvpid(struct vmx_insn *i, struct vmx_insn_result *res)
{
	struct {
		u16 vpid;
		u16 reserved[3];
		u64 gla;
	} desc;
	u64 type;

	if (!(i->caps->ept_vpid & CAP_VPID_INVVPID) || !vmx_caps_has(i->caps, VMCS12_NEEDS_VPID))
		return fault(res, X86_TRAP_UD);
	if (!may_execute_mem(i, res))
		return;
	type = get_reg(i, i->op.reg2);
	if (!invvpid_type_ok(i->caps, type))
		return vmx_insn_fail(i->ns, res, VMXERR_INVALID_OPERAND_TO_INVEPT_INVVPID);
	if (!read_operand(i, &desc, sizeof(desc), res))
		return;
	if (desc.reserved[0] || desc.reserved[1] || desc.reserved[2] ||
	    (type != INVVPID_ALL && !desc.vpid) ||
	    (type == INVVPID_ADDRESS && !canonical(i->linear_bits, desc.gla)))
		return vmx_insn_fail(i->ns, res, VMXERR_INVALID_OPERAND_TO_INVEPT_INVVPID);
	i->ops->invvpid(i->ctx, type, desc.vpid, desc.gla);
	succeed(res);
}

/* -- VMLAUNCH, VMRESUME ---------------------------------------------------- */

/*
 * TLFS "Enlightened VMCS": the VP assist page names it, and the entry makes it the active one.
 * false with the failure filled; else it is, or L1 does not use one.
 */
static bool select_enlightened(struct vmx_insn *i, struct vmx_insn_result *res, bool launch)
{
	u64 ptr;

	switch (evmcs_fetch(i, &ptr)) {
	case EVMCS_FETCHED:
		if (i->ns->current_vmptr != VMCS12_NO_PTR)
			drop_current(i);
		i->clean = evmcs_activate(i->ns, i->evmcs, ptr, launch);
		return true;
	case EVMCS_NOT_USED:
		i->ns->evmcs_ptr = VMCS12_NO_PTR;
		return true;
	case EVMCS_NO_MEMORY:
		i->ns->evmcs_ptr = VMCS12_NO_PTR;
		fault(res, X86_TRAP_UD);
		return false;
	case EVMCS_UNKNOWN_REVISION:
		i->ns->evmcs_ptr = VMCS12_NO_PTR;
		fail_invalid(res);
	}
	return false;
}

/* SDM "Basic VM-Entry Checks"; what follows is the caller's and check.c's. */
static void enter(struct vmx_insn *i, struct vmx_insn_result *res, bool launch)
{
	bool clear;

	if (!may_execute(i, res))
		return;
	if (i->evmcs && !select_enlightened(i, res, launch))
		return;
	if (!nested_has_vmcs(i->ns) || (i->ns->vmcs12->revision_id & VMCS12_SHADOW))
		return fail_invalid(res);
	if (i->blocked_by_mov_ss)
		return vmx_insn_fail(i->ns, res, VMXERR_ENTRY_EVENTS_BLOCKED_BY_MOV_SS);
	clear = i->ns->vmcs12->launch_state == VMCS12_CLEAR;
	if (launch && !clear)
		return vmx_insn_fail(i->ns, res, VMXERR_VMLAUNCH_NONCLEAR_VMCS);
	if (!launch && clear)
		return vmx_insn_fail(i->ns, res, VMXERR_VMRESUME_NONLAUNCHED_VMCS);
	res->kind = VMX_ENTER;
}

static void insn_vmlaunch(struct vmx_insn *i, struct vmx_insn_result *res)
{
	enter(i, res, true);
}

static void insn_vmresume(struct vmx_insn *i, struct vmx_insn_result *res)
{
	enter(i, res, false);
}

/* -- Dispatch -------------------------------------------------------------- */

typedef void (*insn_fn)(struct vmx_insn *i, struct vmx_insn_result *res);

static insn_fn insn_of(u32 exit_reason)
{
	switch (exit_reason) {
	case EXIT_REASON_VMCLEAR:
		return insn_vmclear;
	case EXIT_REASON_VMLAUNCH:
		return insn_vmlaunch;
	case EXIT_REASON_VMPTRLD:
		return insn_vmptrld;
	case EXIT_REASON_VMPTRST:
		return insn_vmptrst;
	case EXIT_REASON_VMREAD:
		return insn_vmread;
	case EXIT_REASON_VMRESUME:
		return insn_vmresume;
	case EXIT_REASON_VMWRITE:
		return insn_vmwrite;
	case EXIT_REASON_VMOFF:
		return insn_vmxoff;
	case EXIT_REASON_VMON:
		return insn_vmxon;
	case EXIT_REASON_INVEPT:
		return insn_invept;
	case EXIT_REASON_INVVPID:
		return insn_invvpid;
	}
	return NULL;
}

/**
 * vmx_insn_known - is there such a VMX instruction?
 * @exit_reason: the exit reason that names it
 */
bool vmx_insn_known(u32 exit_reason)
{
	return insn_of(exit_reason) != NULL;
}

/**
 * vmx_insn_execute - execute a VMX instruction of L1
 * @i:		 the instruction and its surroundings
 * @exit_reason: the VMX exit reason that names it
 * @res:	 result
 *
 * Anything else (VMFUNC, VMCALL without a hypercall) is an undefined opcode.
 */
void vmx_insn_execute(struct vmx_insn *i, u32 exit_reason, struct vmx_insn_result *res)
{
	insn_fn fn = insn_of(exit_reason);

	*res = (struct vmx_insn_result){ .kind = VMX_SUCCEED };
	if (!fn)
		return fault(res, X86_TRAP_UD);
	fn(i, res);
}
