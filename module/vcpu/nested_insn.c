// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX instructions of L1: from an exit (VMX hosts) or a #UD (SVM hosts) to the pure core, and its
 * result back into the vCPU.
 */
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "mm/mm.h"
#include "vcpu/emulate.h"
#include "vcpu/nested_int.h"

static int read_gpa(void *ctx, u64 gpa, void *buf, u32 len)
{
	struct vcpu *v = ctx;

	return vm_read_guest(v->vm, gpa, buf, len);
}

static int write_gpa(void *ctx, u64 gpa, const void *buf, u32 len)
{
	struct vcpu *v = ctx;

	return vm_write_guest(v->vm, gpa, buf, len);
}

static bool in_64bit(struct vcpu *v)
{
	struct x86_seg cs;

	if (!(hw->get_efer(v) & EFER_LMA))
		return false;
	hw->get_seg(v, X86_CS, &cs);
	return cs.ar & SEG_AR_L;
}

static int operand_fault(struct vmx_insn_result *res, u8 vector)
{
	res->vector = vector;
	res->has_error = true;
	res->error = 0;
	return 1;
}

/*
 * Linear address of a memory operand: SDM "Limit Checking" and "Type Checking" outside 64-bit
 * mode, canonicality inside it. 0, or 1 with the fault filled.
 */
static int operand_linear(struct vcpu *v, const struct vmx_operand *op, u32 len, bool write,
			  u64 *linear, struct vmx_insn_result *res)
{
	u8 vector = op->seg == X86_SS ? X86_TRAP_SS : X86_TRAP_GP;
	struct x86_seg seg;
	u64 addr = op->addr;

	*linear = addr;
	if (op->linear)
		return 0;
	hw->get_seg(v, op->seg, &seg);
	if (in_64bit(v)) {
		if (op->seg == X86_FS || op->seg == X86_GS)
			addr += seg.base;
		if ((s64)(addr << 16) >> 16 != (s64)addr)
			return operand_fault(res, vector);
		*linear = addr;
		return 0;
	}
	if ((seg.ar & SEG_AR_UNUSABLE) || addr + len - 1 > seg.limit)
		return operand_fault(res, vector);
	/* Code segments are never written, and read only when readable. */
	if (seg.ar & 8 ? write || !(seg.ar & 2) : write && !(seg.ar & 2))
		return operand_fault(res, vector);
	*linear = (u32)(seg.base + addr);
	return 0;
}

static int access_failed(struct vcpu *v, enum gva_kind k, const struct gva_fault *f,
			 struct vmx_insn_result *res)
{
	switch (k) {
	case GVA_OK:
		return 0;
	case GVA_PAGE_FAULT:
		res->vector = X86_TRAP_PF;
		res->has_error = true;
		res->error = f->pf_error;
		res->cr2 = f->gva;
		return 1;
	default:
		/* nested_apply_result() raises it. */
		v->nested->mem_kind = k;
		v->nested->mem_fault = *f;
		return -EFAULT;
	}
}

static int read_mem(void *ctx, const struct vmx_operand *op, void *buf, u32 len,
		    struct vmx_insn_result *res)
{
	struct vcpu *v = ctx;
	struct gva_fault f;
	u64 linear;

	if (operand_linear(v, op, len, false, &linear, res))
		return 1;
	return access_failed(v, vcpu_read_gva(v, linear, buf, len, 0, &f), &f, res);
}

static int write_mem(void *ctx, const struct vmx_operand *op, const void *buf, u32 len,
		     struct vmx_insn_result *res)
{
	struct vcpu *v = ctx;
	struct gva_fault f;
	u64 linear;

	if (operand_linear(v, op, len, true, &linear, res))
		return 1;
	return access_failed(v, vcpu_write_gva(v, linear, buf, len, 0, &f), &f, res);
}

static void do_invept(void *ctx, bool single, u64 eptp)
{
	mdp_invept(ctx, single, eptp);
}

/* L2's translations have a tag of their own: drop them all, which every type permits. */
static void do_invvpid(void *ctx, u32 type, u16 vpid, u64 gla)
{
	hw->tlb_flush(ctx, true);
}

const struct nested_ops vcpu_nested_ops = {
	.read_gpa = read_gpa,
	.write_gpa = write_gpa,
	.read_mem = read_mem,
	.write_mem = write_mem,
	.invept = do_invept,
	.invvpid = do_invvpid,
};

void nested_fill_insn(struct vcpu *v, struct vmx_insn *i)
{
	struct x86_seg cs;

	hw->get_seg(v, X86_CS, &cs);
	i->ns = &v->nested->st;
	i->caps = &v->nested->caps;
	i->ops = &vcpu_nested_ops;
	i->ctx = v;
	i->regs = v->regs;
	i->cr0 = hw->get_cr0(v);
	i->cr4 = hw->get_cr4(v);
	i->rflags = v->rflags;
	i->efer = hw->get_efer(v);
	i->feature_control = v->feature_control;
	i->cpl = hw->get_cpl(v);
	i->cs_l = cs.ar & SEG_AR_L;
	i->blocked_by_mov_ss = hw->get_intr_shadow(v) & INTR_SHADOW_MOV_SS;
	i->maxphyaddr = vcpu_maxphyaddr(v);
	i->linear_bits = i->cr4 & X86_CR4_LA57 ? 57 : 48;
	if (unlikely(v->nested->evmcs))
		nested_evmcs_fill_insn(v, i);
}

int nested_apply_result(struct vcpu *v, const struct vmx_insn_result *res, u32 reason)
{
	switch (res->kind) {
	case VMX_FAULT:
		if (res->vector == X86_TRAP_PF)
			vcpu_inject_pf(v, res->cr2, res->error);
		else if (res->has_error)
			vcpu_inject_exception_err(v, res->vector, res->error);
		else
			vcpu_inject_exception(v, res->vector);
		return RESUME_GUEST;
	case VMX_ERROR:
		return vcpu_raise_gva_fault(v, v->nested->mem_kind, &v->nested->mem_fault);
	case VMX_ENTER:
		return nested_vmenter(v, reason == EXIT_REASON_VMLAUNCH);
	default:
		vmx_insn_result_apply(&v->rflags, res);
		return vcpu_skip_insn(v);
	}
}

/* What the instruction needs of the current VMCS that the backend may hold elsewhere. */
static u32 needs_of_vmcs12(struct vcpu *v, u32 reason)
{
	switch (reason) {
	case EXIT_REASON_VMLAUNCH:
	case EXIT_REASON_VMRESUME:
		/* It may make an enlightened VMCS take the place of this one. */
		return v->nested->evmcs ? VMCS12_SYNC_WRITES | VMCS12_SYNC_REST :
					  VMCS12_SYNC_WRITES;
	case EXIT_REASON_VMREAD:
	case EXIT_REASON_VMWRITE:
		return VMCS12_SYNC_REST;
	case EXIT_REASON_VMCLEAR:
	case EXIT_REASON_VMPTRLD:
	case EXIT_REASON_VMOFF:
		return VMCS12_SYNC_WRITES | VMCS12_SYNC_REST;
	}
	return 0;
}

static int execute(struct vcpu *v, u32 reason, const struct vmx_operand *op)
{
	struct vcpu_nested *n = v->nested;
	u64 before = n->st.current_vmptr;
	u32 needs = needs_of_vmcs12(v, reason);
	struct vmx_insn_result res;
	struct vmx_insn i = {};
	int r;

	if (nested_evmcs_active(v))
		nested_evmcs_resolve(v);
	nested_sync_vmcs12(v, needs);
	nested_fill_insn(v, &i);
	if (op)
		i.op = *op;
	vmx_insn_execute(&i, reason, &res);
	n->bitmap_clean = i.clean && n->bitmap_read && nested_evmcs_bitmap_clean(v, i.clean);
	r = nested_apply_result(v, &res, reason);
	if (v->in_l2)
		return r;
	if (nested_evmcs_active(v) && (res.kind == VMX_FAIL_VALID || res.kind == VMX_ENTER))
		nested_evmcs_store_error(v);
	if (n->st.current_vmptr != before) {
		nested_publish_vmcs12(v, true);
	} else if (res.kind == VMX_FAIL_VALID || res.kind == VMX_ENTER) {
		/* The VM-instruction error has changed. */
		if (!(needs & VMCS12_SYNC_WRITES))
			nested_sync_vmcs12(v, VMCS12_SYNC_WRITES);
		nested_publish_vmcs12(v, false);
	}
	return r;
}

/* VMXOFF, VMLAUNCH and VMRESUME have no operands. */
static bool has_operand(u32 reason)
{
	return reason != EXIT_REASON_VMOFF && reason != EXIT_REASON_VMLAUNCH &&
	       reason != EXIT_REASON_VMRESUME;
}

/**
 * nested_handle_insn - a VMX instruction of L1 exited
 * @v: the vCPU, in L1, loaded; vm->srcu held
 */
int nested_handle_insn(struct vcpu *v)
{
	struct vmx_operand op;

	if (!vcpu_has_feature(v, X86_FEATURE_VMX)) {
		vcpu_inject_ud(v);
		return RESUME_GUEST;
	}
	if (!has_operand(v->exit.reason))
		return execute(v, v->exit.reason, NULL);
	vmx_operand_decode(&op, v->exit.insn_info, v->exit.qual, v->regs);
	if (v->in_l2)
		return nested_shadow_access(v, v->exit.reason, &op);
	return execute(v, v->exit.reason, &op);
}

static u32 reason_of(u16 opc)
{
	switch (opc) {
	case OPC_VMXON:
		return EXIT_REASON_VMON;
	case OPC_VMXOFF:
		return EXIT_REASON_VMOFF;
	case OPC_VMLAUNCH:
		return EXIT_REASON_VMLAUNCH;
	case OPC_VMRESUME:
		return EXIT_REASON_VMRESUME;
	case OPC_VMPTRLD:
		return EXIT_REASON_VMPTRLD;
	case OPC_VMPTRST:
		return EXIT_REASON_VMPTRST;
	case OPC_VMCLEAR:
		return EXIT_REASON_VMCLEAR;
	case OPC_VMREAD:
		return EXIT_REASON_VMREAD;
	case OPC_VMWRITE:
		return EXIT_REASON_VMWRITE;
	case OPC_INVEPT:
		return EXIT_REASON_INVEPT;
	case OPC_INVVPID:
		return EXIT_REASON_INVVPID;
	case OPC_VMCALL:
		return EXIT_REASON_VMCALL;
	}
	return 0;
}

static bool is_foreign_hypercall(struct vcpu *v)
{
	return !v->in_l2 && v->emul->e.insn.op->id == (vcpu_is_intel(v) ? OPC_VMMCALL : OPC_VMCALL);
}

/*
 * The other vendor's hypercall instruction is replaced by the guest's own, which is then
 * executed: guests that were moved between vendors live on it (KVM_X86_QUIRK_FIX_HYPERCALL_INSN).
 */
static int fix_hypercall(struct vcpu *v)
{
	static const u8 vmcall[] = { 0x0f, 0x01, 0xc1 }, vmmcall[] = { 0x0f, 0x01, 0xd9 };
	struct emul *e = &v->emul->e;
	struct gva_fault f;
	enum gva_kind kind;

	if (e->insn.length != sizeof(vmcall) ||
	    !vm_has_quirk(v->vm, KVM_X86_QUIRK_FIX_HYPERCALL_INSN)) {
		vcpu_inject_ud(v);
		return RESUME_GUEST;
	}
	kind = vcpu_write_gva(v, e->segs[X86_CS].base + v->rip, vcpu_is_intel(v) ? vmcall : vmmcall,
			      sizeof(vmcall), WALK_WRITE, &f);
	return kind == GVA_OK ? RESUME_GUEST : vcpu_raise_gva_fault(v, kind, &f);
}

/* Offset of the ModRM memory operand in its segment. */
static u64 operand_offset(const struct vcpu *v, const struct emul_insn *in)
{
	u64 addr = in->disp;

	if (in->base == EMUL_RIP_REL)
		addr += v->rip + in->length;
	else if (in->base != EMUL_NO_REG)
		addr += v->regs[in->base];
	if (in->index != EMUL_NO_REG)
		addr += v->regs[in->index] << in->scale;
	if (in->adsize == 2)
		addr = (u16)addr;
	else if (in->adsize == 4)
		addr = (u32)addr;
	return addr;
}

static void operand_from_insn(struct vmx_operand *op, const struct vcpu *v,
			      const struct emul_insn *in)
{
	*op = (struct vmx_operand){
		.is_reg = !in->is_mem,
		.reg = in->rm,
		.reg2 = in->reg,
		.seg = in->seg,
	};
	if (in->is_mem)
		op->addr = operand_offset(v, in);
}

/*
 * The VMX reason and operands of a VMX instruction that arrived as #UD; RESUME_GUEST with
 * *reason 0 when it is none.
 */
static int decode_ud(struct vcpu *v, u32 *reason, bool *ok)
{
	int r;

	v->exit.nr_bytes = 0;
	r = vcpu_decode(v, ok);
	if (!*ok)
		return r;
	*reason = reason_of(v->emul->e.insn.op->id);
	v->exit.insn_len = v->emul->e.insn.length;
	return RESUME_GUEST;
}

/* VM-exit instruction information of @op, for L1 (SDM, table of that name). */
static u32 insn_info_of(const struct emul *e)
{
	const struct emul_insn *in = &e->insn;
	u32 info = (in->adsize == 8 ? 2 : in->adsize == 4 ? 1 : 0) << 7 | (u32)in->reg << 28;

	if (!in->is_mem)
		return info | BIT(10) | (u32)in->rm << 3;
	info |= in->scale | (u32)in->seg << 15;
	if (in->index == EMUL_NO_REG)
		info |= BIT(22);
	else
		info |= (u32)in->index << 18;
	if (in->base == EMUL_NO_REG || in->base == EMUL_RIP_REL)
		info |= BIT(27);
	else
		info |= (u32)in->base << 23;
	return info;
}

/*
 * In L2 VMX instructions exit to L1 (SDM "Instructions That Cause VM Exits"), unless L1 lets it reach
 * a shadow VMCS.
 */
static int ud_in_l2(struct vcpu *v, u32 reason)
{
	struct emul *e = &v->emul->e;
	struct vmx_operand op;
	struct vcpu_exit x = {
		.reason = reason,
		.insn_len = e->insn.length,
		.insn_info = insn_info_of(e),
	};

	if (reason == EXIT_REASON_VMCALL || !has_operand(reason))
		x.insn_info = 0;
	else if (e->insn.is_mem)
		x.qual =
			e->insn.disp + (e->insn.base == EMUL_RIP_REL ? e->rip + e->insn.length : 0);
	if (reason == EXIT_REASON_VMREAD || reason == EXIT_REASON_VMWRITE) {
		v->exit.reason = reason;
		v->exit.insn_info = x.insn_info;
		if (nested_exit_is_for(v) == NESTED_EXIT_L0) {
			operand_from_insn(&op, v, &e->insn);
			return nested_shadow_access(v, reason, &op);
		}
	}
	return nested_vmexit(v, &x);
}

static bool is_sysenter(struct vcpu *v)
{
	u16 id = v->emul->e.insn.op->id;

	return id == OPC_SYSENTER || id == OPC_SYSEXIT;
}

/**
 * nested_handle_ud - an undefined opcode: one of VMX's, on hardware that has none? A hypercall?
 * @v: the vCPU, loaded; vm->srcu held
 */
int nested_handle_ud(struct vcpu *v)
{
	struct vmx_operand op;
	u32 reason;
	bool ok;
	int r = decode_ud(v, &reason, &ok);

	if (!ok)
		return r;
	if (v->smm && v->emul->e.insn.op->id == OPC_RSM)
		return vcpu_rsm(v);
	/* AMD's processors have these two in legacy mode only, an Intel guest in all. */
	if (hw == &svm_ops && is_sysenter(v) && vcpu_is_intel(v))
		return vcpu_emulate(v);
	if (is_foreign_hypercall(v))
		return fix_hypercall(v);
	if (!reason || (reason != EXIT_REASON_VMCALL && !vcpu_has_feature(v, X86_FEATURE_VMX))) {
		vcpu_inject_ud(v);
		return RESUME_GUEST;
	}
	if (v->in_l2)
		return ud_in_l2(v, reason);
	if (reason == EXIT_REASON_VMCALL)
		return vcpu_handle_vmcall(v);
	operand_from_insn(&op, v, &v->emul->e.insn);
	v->exit.reason = reason;
	return execute(v, reason, &op);
}

/* VMREAD or VMWRITE; nothing has been done when an operand could not be accessed at once. */
static bool fast_access(struct vcpu *v, u32 reason, const struct vmx_operand *op)
{
	struct vmx_insn_result res;
	struct vmx_insn i = {};

	nested_sync_vmcs12(v, needs_of_vmcs12(v, reason));
	nested_fill_insn(v, &i);
	i.op = *op;
	vmx_insn_execute(&i, reason, &res);
	if (res.kind != VMX_SUCCEED)
		/* Failures are rare, and idempotent: done again the long way. */
		return false;
	vmx_insn_result_apply(&v->rflags, &res);
	return vcpu_skip_insn(v) == RESUME_GUEST;
}

/**
 * nested_fast_insn - VMREAD or VMWRITE exited (VMX hosts); page faults are disabled
 * @v: the vCPU in L1
 */
bool nested_fast_insn(struct vcpu *v)
{
	struct vmx_operand op;

	if (!v->nested->st.vmxon)
		return false;
	vmx_operand_decode(&op, v->exit.insn_info, v->exit.qual, v->regs);
	return fast_access(v, v->exit.reason, &op);
}

/**
 * nested_fast_ud - #UD that may be a VMREAD or VMWRITE (SVM hosts); page faults are disabled
 * @v: the vCPU in L1
 */
bool nested_fast_ud(struct vcpu *v)
{
	struct emul_insn insn;
	struct vmx_operand op;
	u32 reason;

	if (!v->nested->st.vmxon || !vcpu_fetch_insn_64(v, &insn))
		return false;
	reason = reason_of(insn.op->id);
	if (reason != EXIT_REASON_VMREAD && reason != EXIT_REASON_VMWRITE)
		return false;
	v->exit.insn_len = insn.length;
	operand_from_insn(&op, v, &insn);
	return fast_access(v, reason, &op);
}
