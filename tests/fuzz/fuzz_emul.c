/* link: emul/decode.c emul/optable.c emul/alu.c emul/exec.c emul/exec_alu.c emul/exec_data.c emul/exec_fast.c emul/exec_flow.c emul/exec_seg.c emul/exec_sse.c emul/exec_string.c emul/exec_system.c emul/operand.c emul/vme.c */
// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes the executor: code, registers, segments and the outcome of every callback come from the
 * input. Whatever they are, a step ends, asks only for what the contract allows, and changes
 * nothing unless it says so.
 */
#include <stdlib.h>

#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/trapnr.h>

#include "emul/emul.h"

static const u8 *in;
static size_t left;

static void check(int cond)
{
	if (!cond)
		abort();
}

static void take(void *buf, size_t n)
{
	size_t have = min(n, left);

	memset(buf, 0, n);
	memcpy(buf, in, have);
	in += have;
	left -= have;
}

static u64 take64(void)
{
	u64 v;

	take(&v, 8);
	return v;
}

/* Outcome of a callback: most often success. */
static enum emul_result outcome(struct emul *e)
{
	u8 b;

	take(&b, 1);
	switch (b) {
	case 1:
		return emul_raise(e, X86_TRAP_GP, 0);
	case 2:
		return emul_raise_pf(e, b, 2);
	case 3:
		return EMUL_IO;
	case 4:
		return EMUL_INTERCEPTED;
	case 5:
		return EMUL_UNHANDLEABLE;
	case 6:
		return EMUL_AGAIN;
	default:
		return EMUL_OK;
	}
}

static enum emul_result op_fetch(struct emul *e, u64 linear, void *buf, unsigned int len)
{
	check(len >= 1 && len <= 15 && (linear & 4095) + len <= 4096);
	take(buf, len);
	return EMUL_OK;
}

static enum emul_result op_read(struct emul *e, u64 linear, void *buf, unsigned int len,
				unsigned int acc)
{
	check(len >= 1 && len <= 1024);
	check(!buf == !!(acc & EMUL_ACC_PROBE));
	if (buf)
		take(buf, len);
	return outcome(e);
}

static enum emul_result op_write(struct emul *e, u64 linear, const void *buf, unsigned int len,
				 unsigned int acc)
{
	u8 copy[1024];

	check(len >= 1 && len <= sizeof(copy));
	memcpy(copy, buf, len); /* so that ASan sees it */
	return outcome(e);
}

static enum emul_result op_cmpxchg(struct emul *e, u64 linear, const void *old, const void *new,
				   unsigned int len, unsigned int acc)
{
	u8 copy[16];

	check(len >= 1 && len <= 16 && !(len & (len - 1)));
	memcpy(copy, old, len);
	memcpy(copy, new, len);
	return outcome(e);
}

static enum emul_result op_pio_in(struct emul *e, u16 port, unsigned int size, void *buf,
				  unsigned int count)
{
	check(size * count >= 1 && size * count <= 1024);
	take(buf, size * count);
	return outcome(e);
}

static enum emul_result op_pio_out(struct emul *e, u16 port, unsigned int size, const void *buf,
				   unsigned int count)
{
	check(size * count >= 1 && size * count <= 1024);
	return outcome(e);
}

static enum emul_result op_io_allowed(struct emul *e, u16 port, unsigned int size)
{
	return outcome(e);
}

static enum emul_result op_int_redirected(struct emul *e, u8 vector, bool *to_program)
{
	u8 b;

	take(&b, 1);
	*to_program = b & 1;
	return outcome(e);
}

static enum emul_result op_get(struct emul *e, unsigned int nr, u64 *val)
{
	*val = take64();
	return outcome(e);
}

static enum emul_result op_set(struct emul *e, unsigned int nr, u64 val)
{
	return outcome(e);
}

static enum emul_result op_cpuid(struct emul *e, u32 regs[4])
{
	take(regs, 16);
	return outcome(e);
}

static enum emul_result op_get_xmm(struct emul *e, unsigned int nr, void *buf)
{
	check(nr < 16);
	take(buf, 16);
	return outcome(e);
}

static enum emul_result op_set_xmm(struct emul *e, unsigned int nr, const void *buf)
{
	check(nr < 16);
	return outcome(e);
}

static enum emul_result op_get_dt(struct emul *e, enum emul_dt which, struct x86_dt *dt)
{
	take(dt, sizeof(*dt));
	return outcome(e);
}

static enum emul_result op_set_dt(struct emul *e, enum emul_dt which, const struct x86_dt *dt)
{
	return outcome(e);
}

static enum emul_result op_get_system_seg(struct emul *e, enum x86_sreg nr, struct x86_seg *seg)
{
	check(nr == X86_LDTR || nr == X86_TR);
	take(seg, sizeof(*seg));
	return outcome(e);
}

static enum emul_result op_set_seg(struct emul *e, enum x86_sreg nr, const struct x86_seg *seg)
{
	check(nr <= X86_GS);
	return outcome(e);
}

static enum emul_result op_linear(struct emul *e, u64 linear)
{
	return outcome(e);
}

static enum emul_result op_self(struct emul *e)
{
	return outcome(e);
}

static const struct emul_ops ops = {
	.fetch = op_fetch,
	.read = op_read,
	.write = op_write,
	.cmpxchg = op_cmpxchg,
	.pio_in = op_pio_in,
	.pio_out = op_pio_out,
	.io_allowed = op_io_allowed,
	.int_redirected = op_int_redirected,
	.get_cr = op_get,
	.set_cr = op_set,
	.get_dr = op_get,
	.set_dr = op_set,
	.get_msr = op_get,
	.set_msr = op_set,
	.get_pmc = op_get,
	.cpuid = op_cpuid,
	.get_xmm = op_get_xmm,
	.set_xmm = op_set_xmm,
	.get_dt = op_get_dt,
	.set_dt = op_set_dt,
	.get_system_seg = op_get_system_seg,
	.set_seg = op_set_seg,
	.invlpg = op_linear,
	.system = op_self,
	.intercept = op_self,
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct emul e;
	u64 regs[16], rip, rflags;
	unsigned int i, steps;
	enum emul_result r;

	in = data;
	left = size;
	memset(&e, 0, sizeof(e));
	emul_init(&e, &ops, NULL);
	take(&e.cpl, 1);
	e.cpl &= 3;
	e.cr0 = take64();
	e.cr4 = take64();
	e.efer = take64();
	e.rflags = take64();
	e.rip = take64();
	take(e.regs, sizeof(e.regs));
	take(e.segs, sizeof(e.segs));
	for (steps = 0; steps < 4; steps++) {
		memcpy(regs, e.regs, sizeof(regs));
		rip = e.rip;
		rflags = e.rflags;
		r = emul_step(&e);
		check(r <= EMUL_UNHANDLEABLE);
		if (r == EMUL_DONE)
			continue;
		check(e.rip == rip);
		if (e.insn.prefixes & (EPFX_REP | EPFX_REPNE))
			continue;
		check(!memcmp(regs, e.regs, sizeof(regs)));
		check(rflags == e.rflags);
		for (i = 0; i < 16 && r == EMUL_FAULT; i++)
			check(!e.fault.has_error || (e.cr0 & 1));
	}
	return 0;
}
