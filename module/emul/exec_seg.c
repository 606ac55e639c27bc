// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segment registers: loads with descriptor checks, far jumps, calls, returns, IRET.
 * Transfers that change the privilege level, gates and task switches are refused
 * as unhandleable. Called through the table in exec.c.
 *
 * SDM "Segment Descriptors", "Privilege Levels", "Segment Loading Instructions in
 * IA-32e Mode".
 */
#include "emul/emul_int.h"

enum transfer { TRANSFER_JUMP, TRANSFER_RETURN };

enum emul_result sreg_put(struct emul *e, unsigned int nr, const struct x86_seg *seg)
{
	enum emul_result r;

	if (!e->ops->set_seg)
		return EMUL_UNHANDLEABLE;
	r = e->ops->set_seg(e, nr, seg);
	if (!r)
		e->segs[nr] = *seg;
	return r;
}

/* Real and virtual-8086 mode: the selector gives the base, the rest stays. */
static struct x86_seg real_seg(const struct emul *e, unsigned int nr, u16 sel)
{
	struct x86_seg seg = e->segs[nr];

	seg.selector = sel;
	seg.base = (u64)sel << 4;
	return seg;
}

/* Linear address of the descriptor, #GP(selector) when it is outside its table. */
static enum emul_result desc_linear(struct emul *e, u16 sel, u64 *linear)
{
	enum emul_result r;
	struct x86_seg ldt;
	struct x86_dt gdt;

	if (!e->ops->get_dt || !e->ops->get_system_seg)
		return EMUL_UNHANDLEABLE;
	if (sel & 4) {
		r = e->ops->get_system_seg(e, X86_LDTR, &ldt);
		if (r)
			return r;
		if ((ldt.ar & SEG_AR_UNUSABLE) || (sel | 7u) > ldt.limit)
			return raise_gp(e, sel & ~3);
		*linear = ldt.base + (sel & ~7);
		return EMUL_OK;
	}
	r = e->ops->get_dt(e, EMUL_GDT, &gdt);
	if (r)
		return r;
	if ((sel | 7u) > gdt.limit)
		return raise_gp(e, sel & ~3);
	*linear = gdt.base + (sel & ~7);
	return EMUL_OK;
}

static void desc_unpack(u64 desc, u16 sel, struct x86_seg *seg)
{
	memset(seg, 0, sizeof(*seg));
	seg->selector = sel;
	seg->base = ((desc >> 16) & 0xffffff) | ((desc >> 32) & 0xff000000);
	seg->limit = (desc & 0xffff) | ((desc >> 32) & 0xf0000);
	seg->ar = (desc >> 40) & 0xf0ff;
	if (seg->ar & SEG_AR_G)
		seg->limit = seg->limit << 12 | 0xfff;
}

static enum emul_result desc_read(struct emul *e, u16 sel, u64 *linear, struct x86_seg *seg)
{
	enum emul_result r;
	u64 desc = 0;

	r = desc_linear(e, sel, linear);
	if (!r)
		r = sys_read(e, *linear, &desc, 8);
	if (!r)
		desc_unpack(desc, sel, seg);
	return r;
}

/* The processor sets the accessed bit of what it loads. */
static enum emul_result desc_mark_accessed(struct emul *e, u64 linear, struct x86_seg *seg)
{
	u8 type;

	if (seg->ar & 1)
		return EMUL_OK;
	seg->ar |= 1;
	type = seg->ar;
	return sys_write(e, linear + 5, &type, 1);
}

static enum emul_result load_null(struct emul *e, unsigned int nr, u16 sel)
{
	struct x86_seg seg = { .selector = sel, .ar = SEG_AR_UNUSABLE };

	if (nr == X86_SS) {
		if (e->mode != EMUL_MODE_64 || e->cpl == 3 || (sel & 3) != e->cpl)
			return raise_gp(e, 0);
		seg.ar |= (u32)e->cpl << SEG_AR_DPL_SHIFT;
	}
	return sreg_put(e, nr, &seg);
}

/* SDM "MOV - Move", protected mode exceptions. */
static enum emul_result check_data_seg(struct emul *e, unsigned int nr, u16 sel,
				       const struct x86_seg *seg)
{
	unsigned int dpl = (seg->ar & SEG_AR_DPL) >> SEG_AR_DPL_SHIFT;
	unsigned int rpl = sel & 3, err = sel & ~3;
	bool code = seg->ar & 8, bit1 = seg->ar & 2, conforming = seg->ar & 4;

	if (!(seg->ar & SEG_AR_S))
		return raise_gp(e, err);
	if (nr == X86_SS) {
		if (rpl != e->cpl || dpl != e->cpl || code || !bit1)
			return raise_gp(e, err);
		if (!(seg->ar & SEG_AR_P))
			return emul_raise(e, X86_TRAP_SS, err);
		return EMUL_OK;
	}
	if (code && !bit1)
		return raise_gp(e, err);
	if (!(code && conforming) && (rpl > dpl || e->cpl > dpl))
		return raise_gp(e, err);
	if (!(seg->ar & SEG_AR_P))
		return emul_raise(e, X86_TRAP_NP, err);
	return EMUL_OK;
}

enum emul_result sreg_load(struct emul *e, unsigned int nr, u16 sel)
{
	enum emul_result r;
	struct x86_seg seg;
	u64 linear;

	if (emul_real_segs(e)) {
		seg = real_seg(e, nr, sel);
		return sreg_put(e, nr, &seg);
	}
	if (!(sel & ~3))
		return load_null(e, nr, sel);
	r = desc_read(e, sel, &linear, &seg);
	if (!r)
		r = check_data_seg(e, nr, sel, &seg);
	if (!r)
		r = desc_mark_accessed(e, linear, &seg);
	return r ? r : sreg_put(e, nr, &seg);
}

enum emul_result exec_mov_sreg(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int nr = e->insn.reg & 7;
	enum emul_result r;
	u64 sel;

	if (op->id == OPC_MOV_FROM_SREG) {
		sel = e->segs[nr].selector;
		/* In memory always 16 bits. */
		if (e->insn.is_mem)
			return mem_write(e, e->insn.seg, e->ea, 2, sel);
		return opnd_write(e, op->opnd[0], sel);
	}
	r = opnd_read(e, op->opnd[1], &sel);
	if (!r)
		r = sreg_load(e, nr, sel);
	if (!r && nr == X86_SS)
		e->shadow = EMUL_SHADOW_MOVSS;
	return r;
}

/* The segment register is in bits 3 to 5 of the opcode, 0F A0 and 0F A8 included. */
static unsigned int opcode_sreg(const struct emul *e)
{
	return (e->insn.opcode >> 3) & 7;
}

enum emul_result exec_push_sreg(struct emul *e)
{
	return stack_push(e, e->insn.opsize, e->segs[opcode_sreg(e)].selector);
}

enum emul_result exec_pop_sreg(struct emul *e)
{
	unsigned int nr = opcode_sreg(e);
	enum emul_result r;
	u64 sel;

	r = stack_pop(e, e->insn.opsize, &sel);
	if (!r)
		r = sreg_load(e, nr, sel);
	if (!r && nr == X86_SS)
		e->shadow = EMUL_SHADOW_MOVSS;
	return r;
}

/* Offset and selector of a far pointer in memory. */
static enum emul_result read_far(struct emul *e, u64 *off, u16 *sel)
{
	unsigned int bytes = e->insn.opsize;
	enum emul_result r;
	u8 buf[10];

	r = mem_read_buf(e, e->insn.seg, e->ea, buf, bytes + 2, 0);
	if (r)
		return r;
	*off = 0;
	memcpy(off, buf, bytes);
	memcpy(sel, buf + bytes, 2);
	return EMUL_OK;
}

/* LES, LDS, LSS, LFS, LGS */
enum emul_result exec_lfp(struct emul *e)
{
	static const u8 sreg[] = { X86_ES, X86_DS, X86_SS, X86_FS, X86_GS };
	enum emul_result r;
	u64 off;
	u16 sel;

	r = read_far(e, &off, &sel);
	if (!r)
		r = sreg_load(e, sreg[e->insn.op->id - OPC_LFP_ES], sel);
	return r ? r : opnd_write(e, e->insn.op->opnd[0], off);
}

/* Is this a code segment that the transfer may enter at the same privilege level? */
static enum emul_result check_code_seg(struct emul *e, u16 sel, const struct x86_seg *seg,
				       enum transfer how)
{
	unsigned int dpl = (seg->ar & SEG_AR_DPL) >> SEG_AR_DPL_SHIFT;
	unsigned int rpl = sel & 3, err = sel & ~3;
	bool conforming = seg->ar & 4;

	if (!(seg->ar & SEG_AR_S)) /* a gate or a TSS, when jumping */
		return how == TRANSFER_JUMP ? EMUL_UNHANDLEABLE : raise_gp(e, err);
	if (!(seg->ar & 8))
		return raise_gp(e, err);
	if (how == TRANSFER_RETURN) {
		if (rpl > e->cpl)
			return EMUL_UNHANDLEABLE;
		if (rpl < e->cpl)
			return raise_gp(e, err);
	}
	if (conforming ? dpl > e->cpl : (rpl > e->cpl || dpl != e->cpl))
		return raise_gp(e, err);
	if ((e->efer & EFER_LMA) && (seg->ar & SEG_AR_L) && (seg->ar & SEG_AR_DB))
		return raise_gp(e, err);
	if (!(seg->ar & SEG_AR_P))
		return emul_raise(e, X86_TRAP_NP, err);
	return EMUL_OK;
}

/* Checked CS for a far transfer; nothing is changed yet but the accessed bit. */
static enum emul_result code_seg(struct emul *e, u16 sel, enum transfer how, struct x86_seg *seg)
{
	enum emul_result r;
	u64 linear;

	if (emul_real_segs(e)) {
		*seg = real_seg(e, X86_CS, sel);
		return EMUL_OK;
	}
	if (!(sel & ~3))
		return raise_gp(e, 0);
	r = desc_read(e, sel, &linear, seg);
	if (!r)
		r = check_code_seg(e, sel, seg, how);
	if (!r)
		r = desc_mark_accessed(e, linear, seg);
	seg->selector = (sel & ~3) | (e->cpl & 3);
	return r;
}

/* Is the far target inside the new code segment? */
static enum emul_result check_far_target(struct emul *e, const struct x86_seg *cs, u64 off)
{
	unsigned int shift = (e->cr4 & X86_CR4_LA57) ? 7 : 16;

	if ((e->efer & EFER_LMA) && !emul_real_segs(e) && (cs->ar & SEG_AR_L)) {
		if ((u64)((s64)(off << shift) >> shift) != off)
			return raise_gp(e, 0);
		return EMUL_OK;
	}
	return off > cs->limit ? raise_gp(e, 0) : EMUL_OK;
}

/* Selector and offset of JMPF and CALLF. */
static enum emul_result far_target(struct emul *e, u64 *off, u16 *sel)
{
	if (e->insn.is_mem)
		return read_far(e, off, sel);
	*off = e->insn.imm;
	*sel = e->insn.imm2;
	return EMUL_OK;
}

enum emul_result exec_jmpf(struct emul *e)
{
	enum emul_result r;
	struct x86_seg cs;
	u64 off;
	u16 sel;

	r = far_target(e, &off, &sel);
	if (!r)
		r = code_seg(e, sel, TRANSFER_JUMP, &cs);
	if (!r)
		r = check_far_target(e, &cs, off);
	if (!r)
		r = sreg_put(e, X86_CS, &cs);
	e->next_rip = off;
	return r;
}

enum emul_result exec_callf(struct emul *e)
{
	u64 off, ret = e->next_rip;
	enum emul_result r;
	struct x86_seg cs;
	u16 sel;

	r = far_target(e, &off, &sel);
	if (!r)
		r = code_seg(e, sel, TRANSFER_JUMP, &cs);
	if (!r)
		r = check_far_target(e, &cs, off);
	if (!r)
		r = stack_push(e, e->insn.opsize, e->segs[X86_CS].selector);
	if (!r)
		r = stack_push(e, e->insn.opsize, ret);
	if (!r)
		r = sreg_put(e, X86_CS, &cs);
	e->next_rip = off;
	return r;
}

/* Pop offset and selector, and check where they lead. */
static enum emul_result pop_far(struct emul *e, u64 *off, struct x86_seg *cs)
{
	enum emul_result r;
	u64 sel;

	r = stack_pop(e, e->insn.opsize, off);
	if (!r)
		r = stack_pop(e, e->insn.opsize, &sel);
	if (!r)
		r = code_seg(e, sel, TRANSFER_RETURN, cs);
	return r ? r : check_far_target(e, cs, *off);
}

enum emul_result exec_retf(struct emul *e)
{
	enum emul_result r;
	struct x86_seg cs;
	u64 off;

	r = pop_far(e, &off, &cs);
	if (r)
		return r;
	stack_adjust(e, e->insn.imm);
	e->next_rip = off;
	return sreg_put(e, X86_CS, &cs);
}

/* IRET in 64-bit mode always pops the stack pointer, too. */
static enum emul_result pop_stack64(struct emul *e, u64 *sp, u64 *ss)
{
	enum emul_result r = stack_pop(e, e->insn.opsize, sp);

	return r ? r : stack_pop(e, e->insn.opsize, ss);
}

/* SDM "IRET": within one privilege level, not out of a nested task, not to VM86. */
enum emul_result exec_iret(struct emul *e)
{
	bool prot = emul_protected(e) && !emul_vm86(e);
	enum emul_result r = check_vm86_iopl(e);
	struct x86_seg cs;
	u64 off, flags, sp, ss;

	if (r)
		return r;
	if (prot && (e->rflags & X86_EFLAGS_NT))
		return e->mode == EMUL_MODE_64 ? raise_gp(e, 0) : EMUL_UNHANDLEABLE;
	r = pop_far(e, &off, &cs);
	if (!r)
		r = stack_pop(e, e->insn.opsize, &flags);
	if (!r && e->mode == EMUL_MODE_64)
		r = pop_stack64(e, &sp, &ss);
	if (r)
		return r;
	if (prot && !e->cpl && e->insn.opsize == 4 && e->mode != EMUL_MODE_64 &&
	    (flags & X86_EFLAGS_VM))
		return EMUL_UNHANDLEABLE;
	if (e->mode == EMUL_MODE_64) {
		r = sreg_load(e, X86_SS, ss);
		if (r)
			return r;
		e->regs[X86_RSP] = sp;
	}
	if (emul_vme_vif(e)) {
		r = vme_popped(e, flags);
		if (r)
			return r;
	} else {
		e->rflags = flags_popped(e, flags, e->insn.opsize);
		if (e->insn.opsize > 2)
			e->rflags |= flags & X86_EFLAGS_RF;
	}
	e->next_rip = off;
	return sreg_put(e, X86_CS, &cs);
}
