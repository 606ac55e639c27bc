// SPDX-License-Identifier: GPL-2.0-only
/*
 * Near branches, stack and frame instructions, software interrupts.
 * Called through the table in exec.c; far transfers are in exec_seg.c.
 */
#include "emul/emul_int.h"

/* Branch relative to the next instruction. */
static enum emul_result branch_rel(struct emul *e)
{
	return branch_near(e, e->next_rip + e->insn.imm);
}

/* Target of JMP and CALL: relative, or the operand. */
static enum emul_result near_target(struct emul *e, u64 *target)
{
	u16 opnd = e->insn.op->opnd[0];

	if (OPND_KIND(opnd) == OK_J) {
		*target = e->next_rip + e->insn.imm;
		return EMUL_OK;
	}
	return opnd_read(e, opnd, target);
}

enum emul_result exec_jmp(struct emul *e)
{
	enum emul_result r;
	u64 target;

	r = near_target(e, &target);
	return r ? r : branch_near(e, target);
}

enum emul_result exec_jcc(struct emul *e)
{
	return cond_holds(e->rflags, e->insn.opcode) ? branch_rel(e) : EMUL_OK;
}

enum emul_result exec_jcxz(struct emul *e)
{
	return gpr_get(e, X86_RCX, e->insn.adsize) ? EMUL_OK : branch_rel(e);
}

enum emul_result exec_loop(struct emul *e)
{
	unsigned int bytes = e->insn.adsize;
	bool zf = e->rflags & X86_EFLAGS_ZF;
	u16 id = e->insn.op->id;

	gpr_set(e, X86_RCX, bytes, e->regs[X86_RCX] - 1);
	if (!gpr_get(e, X86_RCX, bytes) || (id == OPC_LOOPE && !zf) || (id == OPC_LOOPNE && zf))
		return EMUL_OK;
	return branch_rel(e);
}

enum emul_result exec_call(struct emul *e)
{
	u64 ret = e->next_rip, target;
	enum emul_result r;

	r = near_target(e, &target);
	if (!r)
		r = branch_near(e, target);
	return r ? r : stack_push(e, e->insn.opsize, ret);
}

enum emul_result exec_ret(struct emul *e)
{
	enum emul_result r;
	u64 target;

	r = stack_pop(e, e->insn.opsize, &target);
	if (!r)
		r = branch_near(e, target);
	if (!r)
		stack_adjust(e, e->insn.imm);
	return r;
}

enum emul_result exec_push(struct emul *e)
{
	enum emul_result r;
	u64 val;

	r = opnd_read(e, e->insn.op->opnd[0], &val);
	return r ? r : stack_push(e, e->insn.opsize, val);
}

/* A memory operand addressed by rSP uses its value after the pop. */
enum emul_result exec_pop(struct emul *e)
{
	enum emul_result r;
	u64 val;

	r = stack_pop(e, e->insn.opsize, &val);
	if (r)
		return r;
	if (e->insn.is_mem && e->insn.base == X86_RSP)
		e->ea = (e->ea + e->insn.opsize) & size_mask(e->insn.adsize);
	return opnd_write(e, e->insn.op->opnd[0], val);
}

enum emul_result exec_pusha(struct emul *e)
{
	u64 sp = e->regs[X86_RSP];
	enum emul_result r;
	unsigned int i;

	for (i = X86_RAX; i <= X86_RDI; i++) {
		r = stack_push(e, e->insn.opsize, i == X86_RSP ? sp : e->regs[i]);
		if (r)
			return r;
	}
	return EMUL_OK;
}

enum emul_result exec_popa(struct emul *e)
{
	enum emul_result r;
	unsigned int i;
	u64 val;

	for (i = X86_RDI + 1; i-- > X86_RAX;) {
		r = stack_pop(e, e->insn.opsize, &val);
		if (r)
			return r;
		if (i != X86_RSP)
			gpr_set(e, i, e->insn.opsize, val);
	}
	return EMUL_OK;
}

enum emul_result exec_pushf(struct emul *e)
{
	u64 val = e->rflags & ~(u64)(X86_EFLAGS_VM | X86_EFLAGS_RF);
	enum emul_result r = check_vm86_iopl(e);

	if (emul_vme_vif(e))
		return vme_pushf(e);
	return r ? r : stack_push(e, e->insn.opsize, val);
}

u64 flags_popped(const struct emul *e, u64 val, unsigned int bytes)
{
	u64 change = FLAGS_ARITH | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_NT | X86_EFLAGS_AC |
		     X86_EFLAGS_ID;
	u8 cpl = emul_protected(e) ? e->cpl : 0;

	if (emul_vm86(e))
		cpl = 3;
	if (!cpl)
		change |= X86_EFLAGS_IOPL;
	if (cpl <= emul_iopl(e))
		change |= X86_EFLAGS_IF;
	change &= size_mask(bytes);
	return (e->rflags & ~change) | (val & change);
}

enum emul_result exec_popf(struct emul *e)
{
	enum emul_result r = check_vm86_iopl(e);
	u64 val;

	if (!r)
		r = stack_pop(e, e->insn.opsize, &val);
	if (r)
		return r;
	if (emul_vme_vif(e))
		return vme_popped(e, val);
	e->rflags = flags_popped(e, val, e->insn.opsize);
	return EMUL_OK;
}

/* SDM "ENTER": the frame pointers of outer levels are copied. */
static enum emul_result copy_frames(struct emul *e, unsigned int level, u64 frame)
{
	unsigned int bytes = e->insn.opsize;
	u64 bp = e->regs[X86_RBP], val;
	enum emul_result r;
	unsigned int i;

	for (i = 1; i < level; i++) {
		bp -= bytes;
		r = mem_read(e, X86_SS, bp & size_mask(stack_bytes(e)), bytes, &val);
		if (!r)
			r = stack_push(e, bytes, val);
		if (r)
			return r;
	}
	return stack_push(e, bytes, frame);
}

enum emul_result exec_enter(struct emul *e)
{
	unsigned int level = e->insn.imm2 & 31;
	enum emul_result r;
	u64 frame, linear;

	r = stack_push(e, e->insn.opsize, e->regs[X86_RBP]);
	if (r)
		return r;
	frame = e->regs[X86_RSP];
	if (level) {
		r = copy_frames(e, level, frame);
		if (r)
			return r;
	}
	gpr_set(e, X86_RBP, e->insn.opsize, frame);
	stack_adjust(e, -(s64)e->insn.imm);
	/* The new top of the stack must be writable. */
	return mem_linear(e, X86_SS, e->regs[X86_RSP] & size_mask(stack_bytes(e)), 1,
			  EMUL_ACC_WRITE, &linear);
}

enum emul_result exec_leave(struct emul *e)
{
	enum emul_result r;
	u64 val;

	gpr_set(e, X86_RSP, stack_bytes(e), e->regs[X86_RBP]);
	r = stack_pop(e, e->insn.opsize, &val);
	if (!r)
		gpr_set(e, X86_RBP, e->insn.opsize, val);
	return r;
}

enum emul_result exec_bound(struct emul *e)
{
	unsigned int bytes = e->insn.opsize;
	s64 idx, low, high;
	enum emul_result r;
	u64 a, b;

	r = mem_read(e, e->insn.seg, e->ea, bytes, &a);
	if (!r)
		r = mem_read(e, e->insn.seg, (e->ea + bytes) & size_mask(e->insn.adsize), bytes,
			     &b);
	if (r)
		return r;
	idx = (s64)sign_extend_bytes(gpr_get(e, e->insn.reg, bytes), bytes);
	low = (s64)sign_extend_bytes(a, bytes);
	high = (s64)sign_extend_bytes(b, bytes);
	if (idx < low || idx > high)
		return emul_raise(e, X86_TRAP_BR, 0);
	return EMUL_OK;
}

/* INT n, INT3, INTO, INT1: delivered by the caller, as an event of the instruction. */
enum emul_result exec_int(struct emul *e)
{
	enum emul_result r = EMUL_OK;
	bool done = false;
	u8 vector;

	switch (e->insn.op->id) {
	case OPC_INT:
		vector = e->insn.imm;
		if (emul_vm86(e) && (e->cr4 & X86_CR4_VME))
			r = vme_int(e, vector, &done);
		else
			r = check_vm86_iopl(e);
		break;
	case OPC_INT3:
		vector = X86_TRAP_BP;
		break;
	case OPC_INT1:
		vector = X86_TRAP_DB;
		break;
	default: /* INTO */
		if (!(e->rflags & X86_EFLAGS_OF))
			return EMUL_OK;
		vector = X86_TRAP_OF;
		break;
	}
	if (r || done)
		return r;
	emul_raise(e, vector, 0);
	e->fault.has_error = false;
	e->fault.soft = true;
	e->fault.insn_len = e->insn.length;
	return EMUL_FAULT;
}
