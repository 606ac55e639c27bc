// SPDX-License-Identifier: GPL-2.0-only
/*
 * System instructions: control and debug registers, MSRs, counters, descriptor
 * tables, and those which the caller carries out. Privilege that the opcode row does not
 * state is checked here. Called through the table in exec.c.
 */
#include "emul/emul_int.h"

#define DR7_GD BIT(13)
#define DR6_BD BIT(13)

enum emul_result exec_system(struct emul *e)
{
	return e->ops->system ? e->ops->system(e) : EMUL_UNHANDLEABLE;
}

enum emul_result exec_pause(struct emul *e)
{
	return e->ops->system ? e->ops->system(e) : EMUL_OK;
}

/* SVM instructions are undefined while EFER.SVME is clear. */
enum emul_result exec_svm(struct emul *e)
{
	return (e->efer & EFER_SVME) ? EMUL_UNHANDLEABLE : raise_ud(e);
}

enum emul_result exec_mov_cr(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	enum emul_result r;
	u64 val;

	if (op->id == OPC_MOV_FROM_CR) {
		if (!e->ops->get_cr)
			return EMUL_UNHANDLEABLE;
		r = e->ops->get_cr(e, e->insn.reg, &val);
		return r ? r : opnd_write(e, op->opnd[0], val);
	}
	if (!e->ops->set_cr)
		return EMUL_UNHANDLEABLE;
	r = opnd_read(e, op->opnd[1], &val);
	return r ? r : e->ops->set_cr(e, e->insn.reg, val);
}

/* SDM "Debug Registers DR4 and DR5", "General Detect". */
static enum emul_result check_dr(struct emul *e, unsigned int *nr)
{
	enum emul_result r;
	u64 dr7;

	if (!e->ops->get_dr || !e->ops->set_dr)
		return EMUL_UNHANDLEABLE;
	if (*nr == 4 || *nr == 5) {
		if (e->cr4 & X86_CR4_DE)
			return raise_ud(e);
		*nr += 2;
	}
	r = e->ops->get_dr(e, 7, &dr7);
	if (r)
		return r;
	if (dr7 & DR7_GD) {
		emul_raise(e, X86_TRAP_DB, 0);
		e->fault.payload = DR6_BD;
		return EMUL_FAULT;
	}
	return EMUL_OK;
}

enum emul_result exec_mov_dr(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int nr = e->insn.reg;
	enum emul_result r = check_dr(e, &nr);
	u64 val;

	if (r)
		return r;
	if (op->id == OPC_MOV_FROM_DR) {
		r = e->ops->get_dr(e, nr, &val);
		return r ? r : opnd_write(e, op->opnd[0], val);
	}
	r = opnd_read(e, op->opnd[1], &val);
	if (r)
		return r;
	/* The upper halves of DR6 and DR7 are reserved. */
	if (nr >= 6 && val >> 32)
		return raise_gp(e, 0);
	return e->ops->set_dr(e, nr, val);
}

/* Replace the bits @mask of CR0. */
static enum emul_result change_cr0(struct emul *e, u64 mask, u64 val)
{
	enum emul_result r;
	u64 cr0;

	if (!e->ops->get_cr || !e->ops->set_cr)
		return EMUL_UNHANDLEABLE;
	r = e->ops->get_cr(e, 0, &cr0);
	return r ? r : e->ops->set_cr(e, 0, (cr0 & ~mask) | (val & mask));
}

enum emul_result exec_clts(struct emul *e)
{
	return change_cr0(e, X86_CR0_TS, 0);
}

/* LMSW reaches PE, MP, EM, TS, and cannot clear PE. */
enum emul_result exec_lmsw(struct emul *e)
{
	u64 mask = X86_CR0_MP | X86_CR0_EM | X86_CR0_TS, val;
	enum emul_result r;

	r = opnd_read(e, e->insn.op->opnd[0], &val);
	if (r)
		return r;
	if (val & X86_CR0_PE)
		mask |= X86_CR0_PE;
	return change_cr0(e, mask, val);
}

/* SMSW, SLDT, STR, SGDT, SIDT above CPL 0 with CR4.UMIP. */
static bool umip_forbids(const struct emul *e)
{
	return (e->cr4 & X86_CR4_UMIP) && emul_protected(e) && e->cpl;
}

static enum emul_result system_selector(struct emul *e, enum x86_sreg nr, u64 *val)
{
	enum emul_result r;
	struct x86_seg seg;

	if (!e->ops->get_system_seg)
		return EMUL_UNHANDLEABLE;
	r = e->ops->get_system_seg(e, nr, &seg);
	if (!r)
		*val = seg.selector;
	return r;
}

/* SMSW, SLDT, STR */
enum emul_result exec_store_system(struct emul *e)
{
	enum emul_result r;
	u64 val;

	if (umip_forbids(e))
		return raise_gp(e, 0);
	switch (e->insn.op->id) {
	case OPC_SLDT:
		r = system_selector(e, X86_LDTR, &val);
		break;
	case OPC_STR:
		r = system_selector(e, X86_TR, &val);
		break;
	default:
		r = e->ops->get_cr ? e->ops->get_cr(e, 0, &val) : EMUL_UNHANDLEABLE;
	}
	if (r)
		return r;
	/* In memory always 16 bits. */
	if (e->insn.is_mem)
		return mem_write(e, e->insn.seg, e->ea, 2, val);
	return opnd_write(e, e->insn.op->opnd[0], val);
}

static enum emul_result store_dt(struct emul *e, enum emul_dt which, unsigned int base_bytes)
{
	struct x86_dt dt = {};
	enum emul_result r;
	u8 buf[10];

	if (umip_forbids(e))
		return raise_gp(e, 0);
	r = e->ops->get_dt(e, which, &dt);
	if (r)
		return r;
	memcpy(buf, &dt.limit, 2);
	memcpy(buf + 2, &dt.base, base_bytes);
	return mem_write_buf(e, e->insn.seg, e->ea, buf, base_bytes + 2);
}

static enum emul_result load_dt(struct emul *e, enum emul_dt which, unsigned int base_bytes)
{
	unsigned int shift = (e->cr4 & X86_CR4_LA57) ? 7 : 16;
	struct x86_dt dt = {};
	enum emul_result r;
	u8 buf[10];

	r = mem_read_buf(e, e->insn.seg, e->ea, buf, base_bytes + 2, 0);
	if (r)
		return r;
	memcpy(&dt.limit, buf, 2);
	memcpy(&dt.base, buf + 2, base_bytes);
	if (base_bytes == 8) {
		if ((u64)((s64)(dt.base << shift) >> shift) != dt.base)
			return raise_gp(e, 0);
	} else if (e->insn.opsize == 2) {
		dt.base &= 0xffffff;
	}
	return e->ops->set_dt(e, which, &dt);
}

enum emul_result exec_dt(struct emul *e)
{
	unsigned int bytes = e->mode == EMUL_MODE_64 ? 8 : 4;

	if (!e->ops->get_dt || !e->ops->set_dt)
		return EMUL_UNHANDLEABLE;
	switch (e->insn.op->id) {
	case OPC_SGDT:
		return store_dt(e, EMUL_GDT, bytes);
	case OPC_SIDT:
		return store_dt(e, EMUL_IDT, bytes);
	case OPC_LGDT:
		return load_dt(e, EMUL_GDT, bytes);
	default:
		return load_dt(e, EMUL_IDT, bytes);
	}
}

/* The address is not accessed: no limit check, and nothing to do if not canonical. */
enum emul_result exec_invlpg(struct emul *e)
{
	unsigned int seg = e->insn.seg, shift = 16;
	u64 linear = e->ea;

	if (!e->ops->invlpg)
		return EMUL_UNHANDLEABLE;
	if (e->mode != EMUL_MODE_64)
		return e->ops->invlpg(e, (u32)(linear + e->segs[seg].base));
	if (seg >= X86_FS)
		linear += e->segs[seg].base;
	if (e->cr4 & X86_CR4_LA57)
		shift = 7;
	if ((u64)((s64)(linear << shift) >> shift) != linear)
		return EMUL_OK;
	return e->ops->invlpg(e, linear);
}

static void set_edx_eax(struct emul *e, u64 val)
{
	gpr_set(e, X86_RAX, 4, val);
	gpr_set(e, X86_RDX, 4, val >> 32);
}

enum emul_result exec_msr(struct emul *e)
{
	u32 index = e->regs[X86_RCX];
	enum emul_result r;
	u64 val;

	if (e->insn.op->id == OPC_WRMSR) {
		val = gpr_get(e, X86_RDX, 4) << 32 | gpr_get(e, X86_RAX, 4);
		return e->ops->set_msr ? e->ops->set_msr(e, index, val) : EMUL_UNHANDLEABLE;
	}
	if (!e->ops->get_msr)
		return EMUL_UNHANDLEABLE;
	r = e->ops->get_msr(e, index, &val);
	if (!r)
		set_edx_eax(e, val);
	return r;
}

enum emul_result exec_rdtsc(struct emul *e)
{
	enum emul_result r;
	u64 tsc, aux = 0;

	if ((e->cr4 & X86_CR4_TSD) && emul_protected(e) && e->cpl)
		return raise_gp(e, 0);
	if (!e->ops->get_msr)
		return EMUL_UNHANDLEABLE;
	r = e->ops->get_msr(e, MSR_IA32_TSC, &tsc);
	if (!r && e->insn.op->id == OPC_RDTSCP)
		r = e->ops->get_msr(e, MSR_TSC_AUX, &aux);
	if (r)
		return r;
	set_edx_eax(e, tsc);
	if (e->insn.op->id == OPC_RDTSCP)
		gpr_set(e, X86_RCX, 4, aux);
	return EMUL_OK;
}

enum emul_result exec_rdpmc(struct emul *e)
{
	enum emul_result r;
	u64 val;

	if (!(e->cr4 & X86_CR4_PCE) && emul_protected(e) && e->cpl)
		return raise_gp(e, 0);
	if (!e->ops->get_pmc)
		return EMUL_UNHANDLEABLE;
	r = e->ops->get_pmc(e, e->regs[X86_RCX], &val);
	if (!r)
		set_edx_eax(e, val);
	return r;
}

enum emul_result exec_cpuid(struct emul *e)
{
	u32 regs[4] = { e->regs[X86_RAX], 0, e->regs[X86_RCX], 0 };
	enum emul_result r;

	if (!e->ops->cpuid)
		return EMUL_UNHANDLEABLE;
	r = e->ops->cpuid(e, regs);
	if (r)
		return r;
	gpr_set(e, X86_RAX, 4, regs[0]);
	gpr_set(e, X86_RBX, 4, regs[1]);
	gpr_set(e, X86_RCX, 4, regs[2]);
	gpr_set(e, X86_RDX, 4, regs[3]);
	return EMUL_OK;
}

enum emul_result exec_swapgs(struct emul *e)
{
	struct x86_seg gs = e->segs[X86_GS];
	u64 old = gs.base, kernel_gs;
	enum emul_result r;

	if (!e->ops->get_msr || !e->ops->set_msr || !e->ops->set_seg)
		return EMUL_UNHANDLEABLE;
	r = e->ops->get_msr(e, MSR_KERNEL_GS_BASE, &kernel_gs);
	if (!r)
		r = e->ops->set_msr(e, MSR_KERNEL_GS_BASE, old);
	if (r)
		return r;
	gs.base = kernel_gs;
	r = e->ops->set_seg(e, X86_GS, &gs);
	if (!r)
		e->segs[X86_GS] = gs;
	return r;
}
