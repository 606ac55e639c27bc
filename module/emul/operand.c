// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operands: general registers, memory through segments, the stack. All checks of a
 * linear address are here; translation and faults below it are the callbacks'.
 */
#include "emul/emul_int.h"

/* AH, CH, DH, BH are encodings 4 to 7 when there is no REX prefix. */
static bool is_high_byte(const struct emul *e, unsigned int nr, unsigned int bytes)
{
	return bytes == 1 && nr >= 4 && nr < 8 && !e->insn.rex;
}

u64 gpr_get(const struct emul *e, unsigned int nr, unsigned int bytes)
{
	return e->regs[nr & 15] & size_mask(bytes);
}

void gpr_set(struct emul *e, unsigned int nr, unsigned int bytes, u64 val)
{
	u64 *reg = &e->regs[nr & 15];
	u64 mask = size_mask(bytes);

	if (bytes == 4) /* 32-bit results clear the upper half */
		*reg = (u32)val;
	else
		*reg = (*reg & ~mask) | (val & mask);
}

/* A register operand, with the rules for byte registers. */
static u64 reg_opnd_get(const struct emul *e, unsigned int nr, unsigned int bytes)
{
	if (is_high_byte(e, nr, bytes))
		return (e->regs[nr - 4] >> 8) & 0xff;
	return gpr_get(e, nr, bytes);
}

static void reg_opnd_set(struct emul *e, unsigned int nr, unsigned int bytes, u64 val)
{
	if (is_high_byte(e, nr, bytes))
		e->regs[nr - 4] = (e->regs[nr - 4] & ~0xff00ULL) | (val & 0xff) << 8;
	else
		gpr_set(e, nr, bytes, val);
}

static enum emul_result seg_fault(struct emul *e, unsigned int seg)
{
	return emul_raise(e, seg == X86_SS ? X86_TRAP_SS : X86_TRAP_GP, 0);
}

/* SDM "Type Checking": may the segment be read, or written? */
static bool seg_type_allows(const struct x86_seg *s, unsigned int acc)
{
	bool write = acc & EMUL_ACC_WRITE;

	if (s->ar & SEG_AR_UNUSABLE)
		return false;
	if (s->ar & 8) /* code */
		return !write && (s->ar & 2);
	return !write || (s->ar & 2);
}

/* SDM "Limit Checking". */
static bool seg_limit_allows(const struct emul *e, const struct x86_seg *s, u64 off,
			     unsigned int size)
{
	u64 last = off + size - 1;

	if (emul_protected(e) && !emul_vm86(e) && (s->ar & 0xc) == 4)
		return off > s->limit && last <= ((s->ar & SEG_AR_DB) ? 0xffffffffULL : 0xffff);
	return last <= s->limit;
}

static bool canonical(const struct emul *e, u64 linear)
{
	unsigned int shift = (e->cr4 & X86_CR4_LA57) ? 7 : 16;

	return (u64)((s64)(linear << shift) >> shift) == linear;
}

enum emul_result mem_linear(struct emul *e, unsigned int seg, u64 off, unsigned int size,
			    unsigned int acc, u64 *linear)
{
	const struct x86_seg *s = &e->segs[seg];

	if (e->mode == EMUL_MODE_64) {
		*linear = off + (seg >= X86_FS ? s->base : 0);
		if (!canonical(e, *linear) || !canonical(e, *linear + size - 1))
			return seg_fault(e, seg);
		return EMUL_OK;
	}
	off = (u32)off;
	if (!emul_real_segs(e) && !seg_type_allows(s, acc))
		return seg_fault(e, seg);
	if (!seg_limit_allows(e, s, off, size))
		return seg_fault(e, seg);
	*linear = (u32)(s->base + off);
	return EMUL_OK;
}

/* Segment checks, then SDM "Alignment Check Exception (#AC)". */
static enum emul_result access_linear(struct emul *e, unsigned int seg, u64 off, unsigned int size,
				      unsigned int acc, u64 *linear)
{
	enum emul_result r = mem_linear(e, seg, off, size, acc, linear);

	if (r)
		return r;
	if (e->cpl == 3 && (e->cr0 & X86_CR0_AM) && (e->rflags & X86_EFLAGS_AC) && size <= 8 &&
	    !(size & (size - 1)) && (*linear & (size - 1)))
		return emul_raise(e, X86_TRAP_AC, 0);
	return EMUL_OK;
}

enum emul_result mem_read_buf(struct emul *e, unsigned int seg, u64 off, void *buf,
			      unsigned int size, unsigned int acc)
{
	enum emul_result r;
	u64 linear;

	r = access_linear(e, seg, off, size, acc, &linear);
	return r ? r : e->ops->read(e, linear, buf, size, acc);
}

enum emul_result mem_write_buf(struct emul *e, unsigned int seg, u64 off, const void *buf,
			       unsigned int size)
{
	enum emul_result r;
	u64 linear;

	r = access_linear(e, seg, off, size, EMUL_ACC_WRITE, &linear);
	return r ? r : e->ops->write(e, linear, buf, size, EMUL_ACC_WRITE);
}

enum emul_result mem_read(struct emul *e, unsigned int seg, u64 off, unsigned int size, u64 *val)
{
	*val = 0;
	return mem_read_buf(e, seg, off, val, size, 0);
}

enum emul_result mem_write(struct emul *e, unsigned int seg, u64 off, unsigned int size, u64 val)
{
	return mem_write_buf(e, seg, off, &val, size);
}

enum emul_result mem_cmpxchg(struct emul *e, u64 off, const void *old, const void *new,
			     unsigned int size)
{
	unsigned int acc = EMUL_ACC_WRITE | EMUL_ACC_LOCKED;
	enum emul_result r;
	u64 linear;

	if (!e->ops->cmpxchg)
		return EMUL_UNHANDLEABLE;
	r = access_linear(e, e->insn.seg, off, size, acc, &linear);
	/* In parentheses, because cmpxchg() is a macro in some configurations of the kernel. */
	return r ? r : (e->ops->cmpxchg)(e, linear, old, new, size, acc);
}

enum emul_result sys_read(struct emul *e, u64 linear, void *buf, unsigned int size)
{
	return e->ops->read(e, linear, buf, size, EMUL_ACC_SYSTEM);
}

enum emul_result sys_write(struct emul *e, u64 linear, const void *buf, unsigned int size)
{
	return e->ops->write(e, linear, buf, size, EMUL_ACC_SYSTEM | EMUL_ACC_WRITE);
}

unsigned int opnd_bytes(const struct emul *e, u16 opnd)
{
	return emul_opnd_bytes(&e->insn, opnd);
}

bool opnd_is_mem(const struct emul *e, u16 opnd)
{
	unsigned int kind = OPND_KIND(opnd);

	return kind == OK_O || ((kind == OK_E || kind == OK_M || kind == OK_W) && e->insn.is_mem);
}

/* Register number of a register operand, or -1. */
static int opnd_reg(const struct emul *e, u16 opnd)
{
	const struct emul_insn *insn = &e->insn;

	switch (OPND_KIND(opnd)) {
	case OK_E:
	case OK_R:
		return insn->rm;
	case OK_G:
		return insn->reg;
	case OK_Z:
		return (insn->opcode & 7) | ((insn->rex & 1) << 3);
	case OK_ACC:
		return X86_RAX;
	case OK_DX:
		return X86_RDX;
	case OK_CL:
		return X86_RCX;
	default:
		return -1;
	}
}

enum emul_result opnd_read(struct emul *e, u16 opnd, u64 *val)
{
	unsigned int bytes = opnd_bytes(e, opnd);
	int reg;

	switch (OPND_KIND(opnd)) {
	case OK_I:
	case OK_SI:
	case OK_J:
		*val = e->insn.imm;
		return EMUL_OK;
	case OK_ONE:
		*val = 1;
		return EMUL_OK;
	}
	if (opnd_is_mem(e, opnd))
		return mem_read(e, e->insn.seg, e->ea, bytes, val);
	reg = opnd_reg(e, opnd);
	if (reg < 0)
		return EMUL_UNHANDLEABLE;
	*val = reg_opnd_get(e, reg, bytes);
	return EMUL_OK;
}

enum emul_result opnd_write(struct emul *e, u16 opnd, u64 val)
{
	unsigned int bytes = opnd_bytes(e, opnd);
	int reg;

	if (opnd_is_mem(e, opnd))
		return mem_write(e, e->insn.seg, e->ea, bytes, val);
	reg = opnd_reg(e, opnd);
	if (reg < 0)
		return EMUL_UNHANDLEABLE;
	reg_opnd_set(e, reg, bytes, val);
	return EMUL_OK;
}

enum emul_result opnd_rmw_read(struct emul *e, u16 opnd, u64 *val)
{
	unsigned int acc = EMUL_ACC_WRITE;

	if (!opnd_is_mem(e, opnd))
		return opnd_read(e, opnd, val);
	if (emul_locked(e))
		acc |= EMUL_ACC_LOCKED;
	*val = 0;
	return mem_read_buf(e, e->insn.seg, e->ea, val, opnd_bytes(e, opnd), acc);
}

enum emul_result opnd_rmw_write(struct emul *e, u16 opnd, u64 old, u64 val, bool atomic)
{
	if (atomic && opnd_is_mem(e, opnd))
		return mem_cmpxchg(e, e->ea, &old, &val, opnd_bytes(e, opnd));
	return opnd_write(e, opnd, val);
}

void stack_adjust(struct emul *e, s64 delta)
{
	gpr_set(e, X86_RSP, stack_bytes(e), e->regs[X86_RSP] + delta);
}

enum emul_result stack_push(struct emul *e, unsigned int bytes, u64 val)
{
	u64 sp = (e->regs[X86_RSP] - bytes) & size_mask(stack_bytes(e));
	enum emul_result r = mem_write(e, X86_SS, sp, bytes, val);

	if (!r)
		stack_adjust(e, -(s64)bytes);
	return r;
}

enum emul_result stack_pop(struct emul *e, unsigned int bytes, u64 *val)
{
	u64 sp = e->regs[X86_RSP] & size_mask(stack_bytes(e));
	enum emul_result r = mem_read(e, X86_SS, sp, bytes, val);

	if (!r)
		stack_adjust(e, bytes);
	return r;
}

enum emul_result branch_near(struct emul *e, u64 target)
{
	target &= size_mask(e->insn.opsize);
	if (e->mode == EMUL_MODE_64) {
		if (!canonical(e, target))
			return raise_gp(e, 0);
	} else if (target > e->segs[X86_CS].limit) {
		return raise_gp(e, 0);
	}
	e->next_rip = target;
	return EMUL_OK;
}
