// SPDX-License-Identifier: GPL-2.0-only
/*
 * Integer arithmetic, logic, shifts, bit operations: operands in, alu.c, operands
 * out. Called through the table in exec.c.
 */
#include <linux/bitops.h>

#include "emul/alu.h"
#include "emul/emul_int.h"

/* One ALU operation; returns the result and sets the flags. */
static u64 alu_op(struct emul *e, u64 a, u64 b, unsigned int bytes)
{
	u64 *f = &e->rflags;
	u64 kept_cf = *f & X86_EFLAGS_CF;
	u64 res;

	switch (e->insn.op->id) {
	case OPC_ADD:
		return alu_add(a, b, false, bytes, f);
	case OPC_ADC:
		return alu_add(a, b, kept_cf, bytes, f);
	case OPC_SUB:
	case OPC_CMP:
		return alu_sub(a, b, false, bytes, f);
	case OPC_SBB:
		return alu_sub(a, b, kept_cf, bytes, f);
	case OPC_NEG:
		return alu_sub(0, a, false, bytes, f);
	case OPC_NOT:
		return ~a & size_mask(bytes);
	case OPC_INC:
	case OPC_DEC:
		res = e->insn.op->id == OPC_INC ? alu_add(a, 1, false, bytes, f) :
						  alu_sub(a, 1, false, bytes, f);
		*f = (*f & ~(u64)X86_EFLAGS_CF) | kept_cf;
		return res;
	case OPC_OR:
		res = a | b;
		break;
	case OPC_XOR:
		res = a ^ b;
		break;
	default: /* AND, TEST */
		res = a & b;
		break;
	}
	res &= size_mask(bytes);
	alu_logic_flags(res, bytes, f);
	return res;
}

enum emul_result exec_alu(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	bool rw = op->flags & F_RW;
	enum emul_result r;
	u64 a, b = 0, res;

	if (op->opnd[1]) {
		r = opnd_read(e, op->opnd[1], &b);
		if (r)
			return r;
	}
	r = rw ? opnd_rmw_read(e, op->opnd[0], &a) : opnd_read(e, op->opnd[0], &a);
	if (r)
		return r;
	res = alu_op(e, a, b, opnd_bytes(e, op->opnd[0]));
	if (!rw)
		return EMUL_OK;
	return opnd_rmw_write(e, op->opnd[0], a, res, emul_locked(e));
}

/* MUL, and IMUL with one operand: rDX:rAX. */
static void mul_store_wide(struct emul *e, unsigned int bytes, u64 lo, u64 hi)
{
	if (bytes == 1) {
		gpr_set(e, X86_RAX, 2, hi << 8 | lo);
		return;
	}
	gpr_set(e, X86_RAX, bytes, lo);
	gpr_set(e, X86_RDX, bytes, hi);
}

enum emul_result exec_mul(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bytes = opnd_bytes(e, op->opnd[0]);
	enum emul_result r;
	u64 a, b, lo, hi;

	if (op->id == OPC_MUL || op->id == OPC_IMUL1) {
		r = opnd_read(e, op->opnd[0], &b);
		if (r)
			return r;
		a = gpr_get(e, X86_RAX, bytes);
		if (op->id == OPC_MUL)
			alu_mul(a, b, bytes, &lo, &hi, &e->rflags);
		else
			alu_imul(a, b, bytes, &lo, &hi, &e->rflags);
		mul_store_wide(e, bytes, lo, hi);
		return EMUL_OK;
	}
	r = opnd_read(e, op->opnd[1], &a);
	if (!r)
		r = opnd_read(e, op->id == OPC_IMUL3 ? op->opnd[2] : op->opnd[0], &b);
	if (r)
		return r;
	alu_imul(a, b, bytes, &lo, &hi, &e->rflags);
	return opnd_write(e, op->opnd[0], lo);
}

enum emul_result exec_div(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bytes = opnd_bytes(e, op->opnd[0]);
	u64 lo, hi, b, quot, rem;
	enum emul_result r;
	bool ok;

	r = opnd_read(e, op->opnd[0], &b);
	if (r)
		return r;
	lo = gpr_get(e, X86_RAX, bytes);
	hi = bytes == 1 ? (e->regs[X86_RAX] >> 8) & 0xff : gpr_get(e, X86_RDX, bytes);
	ok = op->id == OPC_DIV ? alu_div(hi, lo, b, bytes, &quot, &rem) :
				 alu_idiv(hi, lo, b, bytes, &quot, &rem);
	if (!ok)
		return emul_raise(e, X86_TRAP_DE, 0);
	mul_store_wide(e, bytes, quot, rem);
	return EMUL_OK;
}

enum emul_result exec_shift(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bytes = opnd_bytes(e, op->opnd[0]);
	enum emul_result r;
	u64 a, count;

	r = opnd_read(e, op->opnd[1], &count);
	if (!r)
		r = opnd_rmw_read(e, op->opnd[0], &a);
	if (r)
		return r;
	a = alu_shift(ALU_ROL + (op->id - OPC_ROL), a, count & 0xff, bytes, &e->rflags);
	return opnd_write(e, op->opnd[0], a);
}

enum emul_result exec_shiftd(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bytes = opnd_bytes(e, op->opnd[0]);
	enum emul_result r;
	u64 a, b, count;

	r = opnd_read(e, op->opnd[2], &count);
	if (!r)
		r = opnd_read(e, op->opnd[1], &b);
	if (!r)
		r = opnd_rmw_read(e, op->opnd[0], &a);
	if (r)
		return r;
	a = alu_shiftd(op->id == OPC_SHLD, a, b, count & 0xff, bytes, &e->rflags);
	return opnd_write(e, op->opnd[0], a);
}

/* With a register offset the bit string reaches beyond the addressed word. */
static void bt_adjust_ea(struct emul *e, u64 bit, unsigned int bytes)
{
	s64 word = (s64)sign_extend_bytes(bit, bytes) >> (bytes == 8 ? 6 : bytes == 4 ? 5 : 4);

	e->ea = (e->ea + (u64)word * bytes) & size_mask(e->insn.adsize);
}

enum emul_result exec_bt(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bytes = opnd_bytes(e, op->opnd[0]);
	enum emul_result r;
	u64 a, bit, mask, res;

	r = opnd_read(e, op->opnd[1], &bit);
	if (r)
		return r;
	if (e->insn.is_mem && OPND_KIND(op->opnd[1]) == OK_G)
		bt_adjust_ea(e, bit, bytes);
	r = op->id == OPC_BT ? opnd_read(e, op->opnd[0], &a) : opnd_rmw_read(e, op->opnd[0], &a);
	if (r)
		return r;
	mask = 1ULL << (bit & (bytes * 8 - 1));
	e->rflags &= ~(u64)X86_EFLAGS_CF;
	if (a & mask)
		e->rflags |= X86_EFLAGS_CF;
	if (op->id == OPC_BT)
		return EMUL_OK;
	res = op->id == OPC_BTS ? a | mask : op->id == OPC_BTR ? a & ~mask : a ^ mask;
	return opnd_rmw_write(e, op->opnd[0], a, res, emul_locked(e));
}

static void put_flag(struct emul *e, u64 flag, bool on)
{
	e->rflags = on ? e->rflags | flag : e->rflags & ~flag;
}

enum emul_result exec_bitscan(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bits = opnd_bytes(e, op->opnd[0]) * 8;
	enum emul_result r;
	u64 a, res;

	r = opnd_read(e, op->opnd[1], &a);
	if (r)
		return r;
	switch (op->id) {
	case OPC_POPCNT:
		e->rflags &= ~(u64)FLAGS_ARITH;
		put_flag(e, X86_EFLAGS_ZF, !a);
		return opnd_write(e, op->opnd[0], hweight64(a));
	case OPC_TZCNT:
	case OPC_LZCNT:
		res = !a ? bits : op->id == OPC_TZCNT ? __ffs64(a) : bits - fls64(a);
		put_flag(e, X86_EFLAGS_CF, !a);
		put_flag(e, X86_EFLAGS_ZF, !res);
		return opnd_write(e, op->opnd[0], res);
	}
	/* BSF, BSR: the destination is left alone when the source is zero. */
	put_flag(e, X86_EFLAGS_ZF, !a);
	if (!a)
		return EMUL_OK;
	return opnd_write(e, op->opnd[0], op->id == OPC_BSF ? __ffs64(a) : (u64)fls64(a) - 1);
}

/* DAA and DAS, SDM's pseudo-code in one. */
static void decimal_adjust(struct emul *e, bool sub)
{
	u8 old = e->regs[X86_RAX], al = old;
	bool old_cf = e->rflags & X86_EFLAGS_CF, cf = false;
	bool af = (old & 15) > 9 || (e->rflags & X86_EFLAGS_AF);

	if (af) {
		al = sub ? al - 6 : al + 6;
		cf = old_cf || (sub ? old < 6 : old > 0xf9);
	}
	if (old > 0x99 || old_cf) {
		al = sub ? al - 0x60 : al + 0x60;
		cf = true;
	}
	gpr_set(e, X86_RAX, 1, al);
	alu_zsp(al, 1, &e->rflags);
	put_flag(e, X86_EFLAGS_AF, af);
	put_flag(e, X86_EFLAGS_CF, cf);
}

/* AAA and AAS. */
static void ascii_adjust(struct emul *e, bool sub)
{
	u16 ax = e->regs[X86_RAX];
	bool adjust = (ax & 15) > 9 || (e->rflags & X86_EFLAGS_AF);

	if (adjust)
		ax = sub ? ax - 0x106 : ax + 0x106;
	gpr_set(e, X86_RAX, 2, ax & 0xff0f);
	put_flag(e, X86_EFLAGS_AF, adjust);
	put_flag(e, X86_EFLAGS_CF, adjust);
}

enum emul_result exec_bcd(struct emul *e)
{
	u8 al = e->regs[X86_RAX], ah = e->regs[X86_RAX] >> 8;
	u8 base = e->insn.imm;

	switch (e->insn.op->id) {
	case OPC_DAA:
	case OPC_DAS:
		decimal_adjust(e, e->insn.op->id == OPC_DAS);
		return EMUL_OK;
	case OPC_AAA:
	case OPC_AAS:
		ascii_adjust(e, e->insn.op->id == OPC_AAS);
		return EMUL_OK;
	case OPC_AAM:
		if (!base)
			return emul_raise(e, X86_TRAP_DE, 0);
		gpr_set(e, X86_RAX, 2, (al / base) << 8 | al % base);
		break;
	default: /* AAD */
		gpr_set(e, X86_RAX, 2, (u8)(al + ah * base));
		break;
	}
	e->rflags &= ~(u64)FLAGS_ARITH;
	alu_zsp(e->regs[X86_RAX] & 0xff, 1, &e->rflags);
	return EMUL_OK;
}
