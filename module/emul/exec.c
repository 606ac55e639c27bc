// SPDX-License-Identifier: GPL-2.0-only
/*
 * One step of the emulator: fetch, decode, privilege, dispatch, commit. The
 * instructions themselves are in exec_*.c, operands in operand.c.
 *
 * Called by the vcpu layer through emul.h. Knows no instruction by name.
 */
#include <linux/errno.h>

#include "emul/emul_int.h"

#define ID(name, handler) [OPC_##name] = handler,
static enum emul_result (*const handlers[OPC_NR])(struct emul *) = {
#include "emul/opcode_ids.def"
};
#undef ID

void emul_init(struct emul *e, const struct emul_ops *ops, void *ctx)
{
	e->ops = ops;
	e->ctx = ctx;
	e->nr_bytes = 0;
	e->shadow = 0;
	e->keep_insn = false;
	memset(&e->fault, 0, sizeof(e->fault));
	memset(&e->insn, 0, sizeof(e->insn));
}

/* Vectors that push an error code. SDM "Exception and Interrupt Reference". */
static bool vector_has_error(u8 vector)
{
	return vector == X86_TRAP_DF || (vector >= X86_TRAP_TS && vector <= X86_TRAP_PF) ||
	       vector == X86_TRAP_AC;
}

enum emul_result emul_raise(struct emul *e, u8 vector, u32 error)
{
	memset(&e->fault, 0, sizeof(e->fault));
	e->fault.vector = vector;
	if (vector_has_error(vector) && emul_protected(e)) {
		e->fault.has_error = true;
		e->fault.error = error;
	}
	return EMUL_FAULT;
}

enum emul_result emul_raise_pf(struct emul *e, u64 linear, u32 error)
{
	emul_raise(e, X86_TRAP_PF, error);
	e->fault.payload = linear;
	return EMUL_FAULT;
}

/* SDM "Real-Address Mode Operation", "Overview of the Protected Mode of ..." */
static enum emul_mode code_mode(const struct emul *e)
{
	u32 ar = e->segs[X86_CS].ar;

	if (emul_vm86(e))
		return EMUL_MODE_16;
	if ((e->efer & EFER_LMA) && (ar & SEG_AR_L))
		return EMUL_MODE_64;
	return (ar & SEG_AR_DB) ? EMUL_MODE_32 : EMUL_MODE_16;
}

/* Linear address of code byte @pos of the instruction, and how many follow it. */
static enum emul_result code_linear(struct emul *e, unsigned int pos, u64 *linear,
				    unsigned int *avail)
{
	u64 off = e->rip + pos;
	u64 room = EMUL_INSN_MAX - pos;
	const struct x86_seg *cs = &e->segs[X86_CS];

	if (e->mode == EMUL_MODE_64) {
		unsigned int shift = (e->cr4 & X86_CR4_LA57) ? 7 : 16;

		if ((u64)((s64)(off << shift) >> shift) != off)
			return raise_gp(e, 0);
		*linear = off;
	} else {
		off = (u32)off;
		if (off > cs->limit)
			return raise_gp(e, 0);
		room = min_t(u64, room, (u64)cs->limit - off + 1);
		*linear = (u32)(cs->base + off);
	}
	*avail = min_t(u64, room, 4096 - (*linear & 4095));
	return EMUL_OK;
}

/* Fetch as far as the page goes; the next page only if the decoder asks for it. */
static enum emul_result fetch_more(struct emul *e)
{
	unsigned int avail;
	enum emul_result r;
	u64 linear;

	r = code_linear(e, e->nr_bytes, &linear, &avail);
	if (r)
		return r;
	r = e->ops->fetch(e, linear, e->bytes + e->nr_bytes, avail);
	if (!r)
		e->nr_bytes += avail;
	return r;
}

enum emul_result emul_fetch_decode(struct emul *e)
{
	enum emul_result r;
	int len = -ENODATA;

	e->mode = code_mode(e);
	if (e->nr_bytes > EMUL_INSN_MAX)
		e->nr_bytes = EMUL_INSN_MAX;
	for (;;) {
		if (e->nr_bytes)
			len = emul_decode(&e->insn, e->bytes, e->nr_bytes, e->mode);
		if (len != -ENODATA)
			break;
		r = fetch_more(e);
		if (r)
			return r;
	}
	if (len == -E2BIG)
		return raise_gp(e, 0);
	if (len < 0)
		return raise_ud(e);
	e->next_rip = e->rip + len;
	if (e->mode != EMUL_MODE_64)
		e->next_rip = (u32)e->next_rip;
	return EMUL_OK;
}

/* Effective address of the ModRM or moffs operand. */
static void compute_ea(struct emul *e)
{
	const struct emul_insn *insn = &e->insn;
	u64 ea = insn->disp;

	if (!insn->is_mem)
		return;
	if (insn->has_modrm) {
		if (insn->base == EMUL_RIP_REL)
			ea += e->next_rip;
		else if (insn->base != EMUL_NO_REG)
			ea += e->regs[insn->base];
		if (insn->index != EMUL_NO_REG)
			ea += e->regs[insn->index] << insn->scale;
	}
	e->ea = ea & size_mask(insn->adsize);
}

enum emul_result emul_mem_operand(struct emul *e, unsigned int size, bool write, u64 *linear)
{
	if (!e->insn.is_mem)
		return raise_ud(e);
	compute_ea(e);
	return mem_linear(e, e->insn.seg, e->ea, size, write ? EMUL_ACC_WRITE : 0, linear);
}

void emul_checkpoint(struct emul *e)
{
	memcpy(e->saved_regs, e->regs, sizeof(e->regs));
	e->saved_rip = e->rip;
	e->saved_rflags = e->rflags;
}

static void restore_checkpoint(struct emul *e)
{
	memcpy(e->regs, e->saved_regs, sizeof(e->regs));
	e->rip = e->saved_rip;
	e->rflags = e->saved_rflags;
}

/* What the row alone says about mode and privilege. */
static enum emul_result check_privilege(struct emul *e)
{
	u32 flags = e->insn.op->flags;

	if ((flags & F_PROT) && emul_real_segs(e))
		return raise_ud(e);
	if ((flags & F_CPL0) && emul_protected(e) && (e->cpl || emul_vm86(e)))
		return raise_gp(e, 0);
	return EMUL_OK;
}

/* Decode unless the instruction is being continued. */
static enum emul_result begin(struct emul *e)
{
	enum emul_result r;

	if (e->keep_insn && e->kept_rip == e->rip && e->mode == code_mode(e)) {
		e->next_rip = e->rip + e->insn.length;
		if (e->mode != EMUL_MODE_64)
			e->next_rip = (u32)e->next_rip;
		return EMUL_OK;
	}
	r = emul_fetch_decode(e);
	if (!r)
		r = check_privilege(e);
	if (!r && e->ops->intercept)
		r = e->ops->intercept(e);
	return r;
}

enum emul_result emul_step(struct emul *e)
{
	enum emul_result r;
	u64 rip = e->rip;

	e->shadow = 0;
	emul_checkpoint(e);
	r = begin(e);
	e->keep_insn = false;
	if (r)
		return r;
	compute_ea(e);
	e->rflags &= ~(u64)X86_EFLAGS_RF; /* IRET may set it again */
	r = handlers[e->insn.op->id](e);
	if (r == EMUL_DONE) {
		if (e->rip == rip)
			e->rip = e->next_rip;
		e->nr_bytes = 0; /* of the instruction that is done */
		return r;
	}
	restore_checkpoint(e);
	e->keep_insn = r == EMUL_IO || r == EMUL_AGAIN;
	e->kept_rip = e->rip;
	return r;
}

/* Known to the decoder, not carried out. */
enum emul_result exec_none(struct emul *e)
{
	return EMUL_UNHANDLEABLE;
}
