// SPDX-License-Identifier: GPL-2.0-only
/*
 * SYSENTER and SYSEXIT. AMD processors have neither in long mode, so a guest that believes in an
 * Intel processor gets #UD there and the vcpu layer sends the instruction here.
 * Called through the table in exec.c.
 *
 * SDM "SYSENTER - Fast System Call", "SYSEXIT - Fast Return from Fast System Call".
 */
#include "emul/emul_int.h"

/* A flat segment as these instructions load it, whatever the descriptor table says. */
static struct x86_seg flat_seg(u16 sel, u32 type, unsigned int dpl, u32 size_bit)
{
	return (struct x86_seg){
		.selector = sel,
		.limit = ~0u,
		.ar = type | SEG_AR_S | dpl << SEG_AR_DPL_SHIFT | SEG_AR_P | size_bit | SEG_AR_G,
	};
}

/* Load CS and SS, and with them the privilege level. */
static enum emul_result load_flat(struct emul *e, u16 cs_sel, unsigned int dpl, bool code64)
{
	struct x86_seg cs = flat_seg(cs_sel, 11, dpl, code64 ? SEG_AR_L : SEG_AR_DB);
	struct x86_seg ss = flat_seg(cs_sel + 8, 3, dpl, SEG_AR_DB);
	enum emul_result r;

	if (!e->ops->set_seg)
		return EMUL_UNHANDLEABLE;
	r = e->ops->set_seg(e, X86_CS, &cs);
	if (!r)
		r = e->ops->set_seg(e, X86_SS, &ss);
	if (r)
		return r;
	e->segs[X86_CS] = cs;
	e->segs[X86_SS] = ss;
	e->cpl = dpl;
	return EMUL_OK;
}

/* IA32_SYSENTER_CS; #GP(0) when it is null. */
static enum emul_result sysenter_cs(struct emul *e, u64 *cs)
{
	enum emul_result r;

	if (!e->ops->get_msr)
		return EMUL_UNHANDLEABLE;
	if (!emul_protected(e))
		return raise_gp(e, 0);
	r = e->ops->get_msr(e, MSR_IA32_SYSENTER_CS, cs);
	if (r)
		return r;
	return (*cs & 0xfffc) ? EMUL_OK : raise_gp(e, 0);
}

enum emul_result exec_sysenter(struct emul *e)
{
	bool lma = e->efer & EFER_LMA;
	u64 mask = lma ? ~0ULL : 0xffffffff;
	u64 cs, rsp, rip;
	enum emul_result r;

	r = sysenter_cs(e, &cs);
	if (!r)
		r = e->ops->get_msr(e, MSR_IA32_SYSENTER_ESP, &rsp);
	if (!r)
		r = e->ops->get_msr(e, MSR_IA32_SYSENTER_EIP, &rip);
	if (!r)
		r = load_flat(e, cs & 0xfffc, 0, lma);
	if (r)
		return r;
	e->rflags &= ~(u64)(X86_EFLAGS_VM | X86_EFLAGS_IF);
	e->regs[X86_RSP] = rsp & mask;
	e->next_rip = rip & mask;
	return EMUL_OK;
}

enum emul_result exec_sysexit(struct emul *e)
{
	bool to64 = e->insn.opsize == 8;
	u64 mask = to64 ? ~0ULL : 0xffffffff;
	u64 rsp = e->regs[X86_RCX] & mask, rip = e->regs[X86_RDX] & mask;
	unsigned int shift = (e->cr4 & X86_CR4_LA57) ? 7 : 16;
	enum emul_result r;
	u64 cs;

	r = sysenter_cs(e, &cs);
	if (r)
		return r;
	if (to64 && ((u64)((s64)(rip << shift) >> shift) != rip ||
		     (u64)((s64)(rsp << shift) >> shift) != rsp))
		return raise_gp(e, 0);
	r = load_flat(e, (cs + (to64 ? 32 : 16)) | 3, 3, to64);
	if (r)
		return r;
	e->regs[X86_RSP] = rsp;
	e->next_rip = rip;
	return EMUL_OK;
}
