// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves, exchanges, conditional moves, conversions, and flags.
 * Called through the table in exec.c.
 */
#include "emul/alu.h"
#include "emul/emul_int.h"

enum emul_result exec_nop(struct emul *e)
{
	return EMUL_OK;
}

/* CLFLUSH, CLFLUSHOPT, CLWB: device memory is not cached, but the address must be readable. */
enum emul_result exec_cache(struct emul *e)
{
	enum emul_result r;
	u64 linear;

	r = mem_linear(e, e->insn.seg, e->ea, 1, 0, &linear);
	return r ? r : e->ops->read(e, linear, NULL, 1, EMUL_ACC_PROBE);
}

enum emul_result exec_ud(struct emul *e)
{
	return raise_ud(e);
}

enum emul_result exec_mov(struct emul *e)
{
	enum emul_result r;
	u64 val;

	r = opnd_read(e, e->insn.op->opnd[1], &val);
	return r ? r : opnd_write(e, e->insn.op->opnd[0], val);
}

/* The source was zero-extended by being read. */
enum emul_result exec_movzx(struct emul *e)
{
	return exec_mov(e);
}

enum emul_result exec_movsx(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bytes = opnd_bytes(e, op->opnd[1]);
	enum emul_result r;
	u64 val;

	r = opnd_read(e, op->opnd[1], &val);
	if (r)
		return r;
	return opnd_write(e, op->opnd[0], sign_extend_bytes(val, bytes));
}

static u64 swap_bytes(u64 val, unsigned int bytes)
{
	u64 res = 0;

	while (bytes--) {
		res = res << 8 | (val & 0xff);
		val >>= 8;
	}
	return res;
}

enum emul_result exec_movbe(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bytes = opnd_bytes(e, op->opnd[1]);
	enum emul_result r;
	u64 val;

	r = opnd_read(e, op->opnd[1], &val);
	return r ? r : opnd_write(e, op->opnd[0], swap_bytes(val, bytes));
}

/* On 16-bit registers the SDM leaves the result undefined; processors give 0. */
enum emul_result exec_bswap(struct emul *e)
{
	u16 opnd = e->insn.op->opnd[0];
	unsigned int bytes = opnd_bytes(e, opnd);
	enum emul_result r;
	u64 val;

	r = opnd_read(e, opnd, &val);
	if (r)
		return r;
	return opnd_write(e, opnd, bytes == 2 ? 0 : swap_bytes(val, bytes));
}

enum emul_result exec_lea(struct emul *e)
{
	return opnd_write(e, e->insn.op->opnd[0], e->ea);
}

/* XCHG with memory is locked, with or without the prefix. */
enum emul_result exec_xchg(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	enum emul_result r;
	u64 a, b;

	if (e->insn.opcode == 0x90 && !(e->insn.rex & 1))
		return EMUL_OK; /* NOP: does not even clear the upper half */
	r = opnd_read(e, op->opnd[1], &b);
	if (!r)
		r = opnd_rmw_read(e, op->opnd[0], &a);
	if (!r)
		r = opnd_rmw_write(e, op->opnd[0], a, b, true);
	return r ? r : opnd_write(e, op->opnd[1], a);
}

enum emul_result exec_xadd(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bytes = opnd_bytes(e, op->opnd[0]);
	enum emul_result r;
	u64 a, b, sum;

	r = opnd_read(e, op->opnd[1], &b);
	if (!r)
		r = opnd_rmw_read(e, op->opnd[0], &a);
	if (r)
		return r;
	sum = alu_add(a, b, false, bytes, &e->rflags);
	if (opnd_is_mem(e, op->opnd[0])) {
		r = opnd_rmw_write(e, op->opnd[0], a, sum, emul_locked(e));
		return r ? r : opnd_write(e, op->opnd[1], a);
	}
	/* Both may be one register: the sum wins. */
	r = opnd_write(e, op->opnd[1], a);
	return r ? r : opnd_write(e, op->opnd[0], sum);
}

enum emul_result exec_cmpxchg(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bytes = opnd_bytes(e, op->opnd[0]);
	u64 acc = gpr_get(e, X86_RAX, bytes);
	enum emul_result r;
	u64 old, src;

	r = opnd_read(e, op->opnd[1], &src);
	if (!r)
		r = opnd_rmw_read(e, op->opnd[0], &old);
	if (r)
		return r;
	alu_sub(acc, old, false, bytes, &e->rflags);
	if (acc == old)
		return opnd_rmw_write(e, op->opnd[0], old, src, emul_locked(e));
	/* The destination is written in either case; registers are left alone. */
	if (opnd_is_mem(e, op->opnd[0])) {
		r = opnd_rmw_write(e, op->opnd[0], old, old, emul_locked(e));
		if (r)
			return r;
	}
	gpr_set(e, X86_RAX, bytes, old);
	return EMUL_OK;
}

/* CMPXCHG8B and, with REX.W, CMPXCHG16B. */
enum emul_result exec_cmpxchg8b(struct emul *e)
{
	unsigned int half = e->insn.opsize == 8 ? 8 : 4;
	unsigned int acc = EMUL_ACC_WRITE | (emul_locked(e) ? EMUL_ACC_LOCKED : 0);
	u8 old[16], want[16], new[16];
	const void *put = old;
	enum emul_result r;
	u64 linear;
	bool equal;

	r = mem_linear(e, e->insn.seg, e->ea, half * 2, acc, &linear);
	if (r)
		return r;
	if (half == 8 && (linear & 15))
		return raise_gp(e, 0);
	r = mem_read_buf(e, e->insn.seg, e->ea, old, half * 2, acc);
	if (r)
		return r;
	memcpy(want, &e->regs[X86_RAX], half);
	memcpy(want + half, &e->regs[X86_RDX], half);
	memcpy(new, &e->regs[X86_RBX], half);
	memcpy(new + half, &e->regs[X86_RCX], half);
	equal = !memcmp(old, want, half * 2);
	if (equal)
		put = new;
	if (emul_locked(e))
		r = mem_cmpxchg(e, e->ea, old, put, half * 2);
	else
		r = mem_write_buf(e, e->insn.seg, e->ea, put, half * 2);
	if (r)
		return r;
	e->rflags &= ~(u64)X86_EFLAGS_ZF;
	if (equal) {
		e->rflags |= X86_EFLAGS_ZF;
		return EMUL_OK;
	}
	e->regs[X86_RAX] = 0;
	e->regs[X86_RDX] = 0;
	memcpy(&e->regs[X86_RAX], old, half);
	memcpy(&e->regs[X86_RDX], old + half, half);
	return EMUL_OK;
}

/* CBW, CWDE, CDQE */
enum emul_result exec_cbw(struct emul *e)
{
	unsigned int bytes = e->insn.opsize;

	gpr_set(e, X86_RAX, bytes, sign_extend_bytes(e->regs[X86_RAX], bytes / 2));
	return EMUL_OK;
}

/* CWD, CDQ, CQO */
enum emul_result exec_cwd(struct emul *e)
{
	unsigned int bytes = e->insn.opsize;

	gpr_set(e, X86_RDX, bytes, (e->regs[X86_RAX] & sign_bit(bytes)) ? ~0ULL : 0);
	return EMUL_OK;
}

/* SDM "Condition Codes": pairs, the odd one is the negation. */
bool cond_holds(u64 f, unsigned int cc)
{
	bool sf = f & X86_EFLAGS_SF, of = f & X86_EFLAGS_OF;
	bool zf = f & X86_EFLAGS_ZF, cf = f & X86_EFLAGS_CF;
	bool v;

	switch ((cc >> 1) & 7) {
	case 0:
		v = of;
		break;
	case 1:
		v = cf;
		break;
	case 2:
		v = zf;
		break;
	case 3:
		v = cf || zf;
		break;
	case 4:
		v = sf;
		break;
	case 5:
		v = f & X86_EFLAGS_PF;
		break;
	case 6:
		v = sf != of;
		break;
	default:
		v = zf || sf != of;
		break;
	}
	return v != (cc & 1);
}

enum emul_result exec_setcc(struct emul *e)
{
	return opnd_write(e, e->insn.op->opnd[0], cond_holds(e->rflags, e->insn.opcode));
}

/* The source is read in either case, and a 32-bit destination is zero-extended. */
enum emul_result exec_cmovcc(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	enum emul_result r;
	u64 val;

	r = opnd_read(e, op->opnd[1], &val);
	if (r)
		return r;
	if (!cond_holds(e->rflags, e->insn.opcode)) {
		r = opnd_read(e, op->opnd[0], &val);
		if (r)
			return r;
	}
	return opnd_write(e, op->opnd[0], val);
}

enum emul_result exec_xlat(struct emul *e)
{
	u64 off = (e->regs[X86_RBX] + (e->regs[X86_RAX] & 0xff)) & size_mask(e->insn.adsize);
	enum emul_result r;
	u64 val;

	r = mem_read(e, e->insn.seg, off, 1, &val);
	if (!r)
		gpr_set(e, X86_RAX, 1, val);
	return r;
}

enum emul_result exec_salc(struct emul *e)
{
	gpr_set(e, X86_RAX, 1, (e->rflags & X86_EFLAGS_CF) ? 0xff : 0);
	return EMUL_OK;
}

enum emul_result exec_flagop(struct emul *e)
{
	switch (e->insn.op->id) {
	case OPC_CLC:
		e->rflags &= ~(u64)X86_EFLAGS_CF;
		break;
	case OPC_STC:
		e->rflags |= X86_EFLAGS_CF;
		break;
	case OPC_CMC:
		e->rflags ^= X86_EFLAGS_CF;
		break;
	case OPC_CLD:
		e->rflags &= ~(u64)X86_EFLAGS_DF;
		break;
	default: /* STD */
		e->rflags |= X86_EFLAGS_DF;
		break;
	}
	return EMUL_OK;
}

/* CLI and STI. Where IOPL forbids them, CR4.VME and CR4.PVI (CPL 3 only) redirect them to VIF. */
enum emul_result exec_cli(struct emul *e)
{
	u64 was = e->rflags & X86_EFLAGS_IF;

	if (emul_protected(e) && e->cpl > emul_iopl(e)) {
		if (emul_vme_vif(e) || (!emul_vm86(e) && e->cpl == 3 && (e->cr4 & X86_CR4_PVI)))
			return vif_cli(e);
		return raise_gp(e, 0);
	}
	if (e->insn.op->id == OPC_CLI) {
		e->rflags &= ~(u64)X86_EFLAGS_IF;
		return EMUL_OK;
	}
	e->rflags |= X86_EFLAGS_IF;
	if (!was)
		e->shadow = EMUL_SHADOW_STI;
	return EMUL_OK;
}

enum emul_result exec_lahf(struct emul *e)
{
	const u64 mask = X86_EFLAGS_SF | X86_EFLAGS_ZF | X86_EFLAGS_AF | X86_EFLAGS_PF |
			 X86_EFLAGS_CF;
	u64 ah = (e->regs[X86_RAX] >> 8) & 0xff;

	if (e->insn.op->id == OPC_SAHF) {
		e->rflags = (e->rflags & ~mask) | (ah & mask);
		return EMUL_OK;
	}
	ah = (e->rflags & mask) | X86_EFLAGS_FIXED;
	e->regs[X86_RAX] = (e->regs[X86_RAX] & ~0xff00ULL) | ah << 8;
	return EMUL_OK;
}
