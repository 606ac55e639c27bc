// SPDX-License-Identifier: GPL-2.0-only
/*
 * CR4.VME and CR4.PVI: the virtual interrupt flag of programs that may not touch IF, and INT n
 * redirected to a virtual-8086 program's own interrupt table (SDM "Interrupt and Exception
 * Handling in Virtual-8086 Mode", "Protected-Mode Virtual Interrupts").
 *
 * Called by exec_data.c, exec_flow.c and exec_seg.c when emul_vme_vif() or CR4 says so.
 */
#include "emul/emul_int.h"

/* The program's view of FLAGS: IF is VIF, IOPL is 3. */
static u64 program_flags(const struct emul *e)
{
	u64 flags = e->rflags & 0xffff & ~(u64)X86_EFLAGS_IF;

	if (e->rflags & X86_EFLAGS_VIF)
		flags |= X86_EFLAGS_IF;
	return flags | X86_EFLAGS_IOPL;
}

enum emul_result vme_pushf(struct emul *e)
{
	if (e->insn.opsize != 2)
		return raise_gp(e, 0);
	return stack_push(e, 2, program_flags(e));
}

/**
 * vme_popped - FLAGS popped by a 16-bit POPF or IRET
 *
 * #GP with a pending virtual interrupt that would become deliverable, with TF, and with another
 * operand size.
 */
enum emul_result vme_popped(struct emul *e, u64 val)
{
	const u64 change = 0xffff & ~(u64)(X86_EFLAGS_IF | X86_EFLAGS_IOPL | 0x802a);

	if (e->insn.opsize != 2 || (val & X86_EFLAGS_TF) ||
	    ((val & X86_EFLAGS_IF) && (e->rflags & X86_EFLAGS_VIP)))
		return raise_gp(e, 0);
	e->rflags = (e->rflags & ~(change | X86_EFLAGS_VIF)) | (val & change);
	if (val & X86_EFLAGS_IF)
		e->rflags |= X86_EFLAGS_VIF;
	return EMUL_OK;
}

/* CLI and STI, also of CR4.PVI. */
enum emul_result vif_cli(struct emul *e)
{
	if (e->insn.op->id == OPC_CLI) {
		e->rflags &= ~(u64)X86_EFLAGS_VIF;
		return EMUL_OK;
	}
	if (e->rflags & X86_EFLAGS_VIP)
		return raise_gp(e, 0);
	e->rflags |= X86_EFLAGS_VIF;
	return EMUL_OK;
}

static enum emul_result enter_program_handler(struct emul *e, u8 vector)
{
	struct x86_seg cs = e->segs[X86_CS];
	u64 flags = emul_iopl(e) < 3 ? program_flags(e) : e->rflags & 0xffff;
	u16 entry[2];
	enum emul_result r;

	if (!e->ops->read)
		return EMUL_UNHANDLEABLE;
	r = e->ops->read(e, vector * 4, entry, sizeof(entry), 0);
	if (!r)
		r = stack_push(e, 2, flags);
	if (!r)
		r = stack_push(e, 2, cs.selector);
	if (!r)
		r = stack_push(e, 2, e->next_rip);
	if (r)
		return r;
	e->rflags &= ~(u64)(X86_EFLAGS_TF | (emul_iopl(e) < 3 ? X86_EFLAGS_VIF : X86_EFLAGS_IF));
	cs.selector = entry[1];
	cs.base = (u64)entry[1] << 4;
	e->next_rip = entry[0];
	return sreg_put(e, X86_CS, &cs);
}

/**
 * vme_int - INT n in virtual-8086 mode with CR4.VME
 * @done: set when the program's handler was entered; otherwise the interrupt is the IDT's
 */
enum emul_result vme_int(struct emul *e, u8 vector, bool *done)
{
	enum emul_result r;

	*done = false;
	if (!e->ops->int_redirected)
		return raise_gp(e, 0);
	r = e->ops->int_redirected(e, vector, done);
	if (r)
		return r;
	if (*done)
		return enter_program_handler(e, vector);
	return emul_iopl(e) < 3 ? raise_gp(e, 0) : EMUL_OK;
}
