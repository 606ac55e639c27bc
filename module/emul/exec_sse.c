// SPDX-License-Identifier: GPL-2.0-only
/*
 * SSE moves between XMM registers, memory and general registers: what drivers use
 * on device memory. Called through the table in exec.c.
 */
#include "emul/emul_int.h"

/* SDM "Streaming SIMD Extensions": when SSE instructions are undefined, or trap. */
static enum emul_result check_sse(struct emul *e)
{
	if ((e->cr0 & X86_CR0_EM) || !(e->cr4 & X86_CR4_OSFXSR))
		return raise_ud(e);
	if (e->cr0 & X86_CR0_TS)
		return emul_raise(e, X86_TRAP_NM, 0);
	if (!e->ops->get_xmm || !e->ops->set_xmm)
		return EMUL_UNHANDLEABLE;
	return EMUL_OK;
}

/* Unaligned 16-byte operands raise #GP for the aligned moves. */
static enum emul_result check_aligned(struct emul *e, unsigned int acc)
{
	enum emul_result r;
	u64 linear;

	if (e->insn.op->id != OPC_XMOVA)
		return EMUL_OK;
	r = mem_linear(e, e->insn.seg, e->ea, 16, acc, &linear);
	if (r)
		return r;
	return (linear & 15) ? raise_gp(e, 0) : EMUL_OK;
}

/* MOVUPS, MOVAPS, MOVDQU, MOVDQA and relatives: 16 bytes, load or store. */
enum emul_result exec_xmov(struct emul *e)
{
	bool load = OPND_KIND(e->insn.op->opnd[0]) == OK_V;
	enum emul_result r = check_sse(e);
	u8 val[16];

	if (r)
		return r;
	if (!e->insn.is_mem) {
		r = e->ops->get_xmm(e, load ? e->insn.rm : e->insn.reg, val);
		if (r)
			return r;
		return e->ops->set_xmm(e, load ? e->insn.reg : e->insn.rm, val);
	}
	r = check_aligned(e, load ? 0 : EMUL_ACC_WRITE);
	if (r)
		return r;
	if (load) {
		r = mem_read_buf(e, e->insn.seg, e->ea, val, 16, 0);
		return r ? r : e->ops->set_xmm(e, e->insn.reg, val);
	}
	r = e->ops->get_xmm(e, e->insn.reg, val);
	return r ? r : mem_write_buf(e, e->insn.seg, e->ea, val, 16);
}

/* Read @bytes of the other operand: memory, XMM or general register. */
static enum emul_result read_part(struct emul *e, u16 opnd, u8 *val, unsigned int bytes)
{
	enum emul_result r;
	u64 gpr;

	if (opnd_is_mem(e, opnd))
		return mem_read_buf(e, e->insn.seg, e->ea, val, bytes, 0);
	if (OPND_KIND(opnd) == OK_W)
		return e->ops->get_xmm(e, e->insn.rm, val);
	r = opnd_read(e, opnd, &gpr);
	memcpy(val, &gpr, 8);
	return r;
}

/* Load @bytes into an XMM register; what happens to the rest depends on the move. */
static enum emul_result load_part(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bytes = opnd_bytes(e, op->opnd[1]);
	bool merge = op->id == OPC_XMOVL || op->id == OPC_XMOVH ||
		     (op->id == OPC_XMOVS && !e->insn.is_mem);
	u8 reg[16] = {}, val[16];
	enum emul_result r;

	r = read_part(e, op->opnd[1], val, bytes);
	if (!r && merge)
		r = e->ops->get_xmm(e, e->insn.reg, reg);
	if (r)
		return r;
	memcpy(reg + (op->id == OPC_XMOVH ? 8 : 0), val, bytes);
	return e->ops->set_xmm(e, e->insn.reg, reg);
}

/* Store @bytes of an XMM register. */
static enum emul_result store_part(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bytes = opnd_bytes(e, op->opnd[0]);
	u8 reg[16], other[16] = {};
	const u8 *from = reg;
	enum emul_result r;
	u64 gpr = 0;

	r = e->ops->get_xmm(e, e->insn.reg, reg);
	if (r)
		return r;
	if (op->id == OPC_XMOVH)
		from += 8;
	if (opnd_is_mem(e, op->opnd[0]))
		return mem_write_buf(e, e->insn.seg, e->ea, from, bytes);
	if (OPND_KIND(op->opnd[0]) == OK_E) {
		memcpy(&gpr, from, bytes);
		return opnd_write(e, op->opnd[0], gpr);
	}
	/* Between registers MOVSS and MOVSD merge, MOVQ clears. */
	if (op->id == OPC_XMOVS) {
		r = e->ops->get_xmm(e, e->insn.rm, other);
		if (r)
			return r;
	}
	memcpy(other, from, bytes);
	return e->ops->set_xmm(e, e->insn.rm, other);
}

/* MOVSS, MOVSD, MOVLPS, MOVHPS, MOVD, MOVQ */
enum emul_result exec_xmovs(struct emul *e)
{
	enum emul_result r = check_sse(e);

	if (r)
		return r;
	return OPND_KIND(e->insn.op->opnd[0]) == OK_V ? load_part(e) : store_part(e);
}
