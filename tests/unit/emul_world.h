/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small machine for the emulator's tests: memory at linear 0, a page that is not mapped, a
 * device page whose reads need "user space", ports, control registers, MSRs, GDT and LDT.
 */
#ifndef TESTS_EMUL_WORLD_H
#define TESTS_EMUL_WORLD_H

#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "emul/emul.h"

#define RAM_SIZE 0x40000
#define HOLE	 0x20000  /* one page, not present */
#define READONLY 0x22000  /* one page, not writable */
#define DEVICE	 0x100000 /* one page */
#define GDT_BASE 0x8000
#define LDT_BASE 0x9000

struct world {
	struct emul e;
	u8 ram[RAM_SIZE];

	bool dev_pending, dev_answered;
	u64 dev_addr, dev_value;
	unsigned int dev_len, dev_writes;
	u64 dev_last_addr, dev_last_value;

	bool pio_pending, pio_answered;
	u16 pio_port;
	unsigned int pio_size, pio_count, pio_calls, pio_outs;
	u8 pio_data[1024];

	u64 cr[16], dr[8], msr_tsc, msr_kernel_gs, msr_last, msr_aux;
	u32 msr_index;
	u64 sysenter[3];
	u8 xmm[16][16];
	struct x86_dt dt[2];
	struct x86_seg ldtr, tr;
	unsigned int set_segs, invlpgs, systems, intercepts, fetches, lost_races;
	u64 invlpg_addr;
	enum emul_result intercept_result, io_allowed_result;
	u8 redirected_int; /* the one vector that the TSS gives to the program itself */
	unsigned int interrupt_after;
};

static enum emul_result w_access(struct emul *e, u64 linear, unsigned int len, unsigned int acc)
{
	u64 end = linear + len;

	if (linear < HOLE + 4096 && end > HOLE)
		return emul_raise_pf(e, linear < HOLE ? HOLE : linear,
				     (acc & EMUL_ACC_WRITE) ? 2 : 0);
	if ((acc & EMUL_ACC_WRITE) && linear < READONLY + 4096 && end > READONLY)
		return emul_raise_pf(e, linear, 3);
	if (end > RAM_SIZE || end < linear)
		return emul_raise_pf(e, linear, 0);
	return EMUL_OK;
}

static bool w_is_device(u64 linear)
{
	return linear >= DEVICE && linear < DEVICE + 4096;
}

static enum emul_result w_fetch(struct emul *e, u64 linear, void *buf, unsigned int len)
{
	struct world *w = e->ctx;
	enum emul_result r = w_access(e, linear, len, 0);

	w->fetches++;
	assert_true((linear & 4095) + len <= 4096);
	if (!r)
		memcpy(buf, w->ram + linear, len);
	return r;
}

static enum emul_result w_dev_read(struct world *w, u64 linear, void *buf, unsigned int len)
{
	if (w->dev_answered && w->dev_addr == linear && w->dev_len == len) {
		w->dev_answered = false;
		memcpy(buf, &w->dev_value, len);
		return EMUL_OK;
	}
	w->dev_pending = true;
	w->dev_addr = linear;
	w->dev_len = len;
	return EMUL_IO;
}

static enum emul_result w_read(struct emul *e, u64 linear, void *buf, unsigned int len,
			       unsigned int acc)
{
	struct world *w = e->ctx;
	enum emul_result r;

	if (w_is_device(linear))
		return (acc & EMUL_ACC_PROBE) ? EMUL_OK : w_dev_read(w, linear, buf, len);
	r = w_access(e, linear, len, acc);
	if (r || (acc & EMUL_ACC_PROBE))
		return r;
	memcpy(buf, w->ram + linear, len);
	return EMUL_OK;
}

static enum emul_result w_write(struct emul *e, u64 linear, const void *buf, unsigned int len,
				unsigned int acc)
{
	struct world *w = e->ctx;
	enum emul_result r;

	if (w_is_device(linear)) {
		w->dev_writes++;
		w->dev_last_addr = linear;
		w->dev_last_value = 0;
		memcpy(&w->dev_last_value, buf, min(len, 8u));
		return EMUL_OK;
	}
	r = w_access(e, linear, len, acc | EMUL_ACC_WRITE);
	if (!r)
		memcpy(w->ram + linear, buf, len);
	return r;
}

static enum emul_result w_cmpxchg(struct emul *e, u64 linear, const void *old, const void *new,
				  unsigned int len, unsigned int acc)
{
	struct world *w = e->ctx;
	enum emul_result r;

	if (w_is_device(linear))
		return w_write(e, linear, new, len, acc);
	r = w_access(e, linear, len, acc);
	if (r)
		return r;
	if (w->lost_races) { /* another vCPU was faster */
		w->lost_races--;
		return EMUL_AGAIN;
	}
	if (memcmp(w->ram + linear, old, len))
		return EMUL_AGAIN;
	memcpy(w->ram + linear, new, len);
	return EMUL_OK;
}

static enum emul_result w_pio_in(struct emul *e, u16 port, unsigned int size, void *buf,
				 unsigned int count)
{
	struct world *w = e->ctx;

	assert_true(size * count <= 1024 && count > 0);
	w->pio_calls++;
	if (w->pio_answered) {
		assert_int_equal(port, w->pio_port);
		assert_int_equal(size, w->pio_size);
		assert_int_equal(count, w->pio_count);
		w->pio_answered = false;
		memcpy(buf, w->pio_data, size * count);
		return EMUL_OK;
	}
	w->pio_pending = true;
	w->pio_port = port;
	w->pio_size = size;
	w->pio_count = count;
	return EMUL_IO;
}

static enum emul_result w_pio_out(struct emul *e, u16 port, unsigned int size, const void *buf,
				  unsigned int count)
{
	struct world *w = e->ctx;

	assert_true(size * count <= 1024 && count > 0);
	w->pio_outs++;
	w->pio_port = port;
	w->pio_size = size;
	w->pio_count = count;
	memcpy(w->pio_data, buf, size * count);
	return EMUL_OK;
}

static enum emul_result w_io_allowed(struct emul *e, u16 port, unsigned int size)
{
	struct world *w = e->ctx;

	return w->io_allowed_result ? emul_raise(e, X86_TRAP_GP, 0) : EMUL_OK;
}

static enum emul_result w_int_redirected(struct emul *e, u8 vector, bool *to_program)
{
	struct world *w = e->ctx;

	*to_program = vector == w->redirected_int;
	return EMUL_OK;
}

static enum emul_result w_get_cr(struct emul *e, unsigned int nr, u64 *val)
{
	*val = ((struct world *)e->ctx)->cr[nr];
	return EMUL_OK;
}

static enum emul_result w_set_cr(struct emul *e, unsigned int nr, u64 val)
{
	if (nr == 8 && val > 15)
		return emul_raise(e, X86_TRAP_GP, 0);
	((struct world *)e->ctx)->cr[nr] = val;
	return EMUL_OK;
}

static enum emul_result w_get_dr(struct emul *e, unsigned int nr, u64 *val)
{
	*val = ((struct world *)e->ctx)->dr[nr];
	return EMUL_OK;
}

static enum emul_result w_set_dr(struct emul *e, unsigned int nr, u64 val)
{
	((struct world *)e->ctx)->dr[nr] = val;
	return EMUL_OK;
}

static enum emul_result w_get_msr(struct emul *e, u32 index, u64 *val)
{
	struct world *w = e->ctx;

	switch (index) {
	case MSR_IA32_TSC:
		*val = w->msr_tsc;
		return EMUL_OK;
	case MSR_TSC_AUX:
		*val = w->msr_aux;
		return EMUL_OK;
	case MSR_KERNEL_GS_BASE:
		*val = w->msr_kernel_gs;
		return EMUL_OK;
	case MSR_IA32_SYSENTER_CS:
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
		*val = w->sysenter[index - MSR_IA32_SYSENTER_CS];
		return EMUL_OK;
	default:
		return emul_raise(e, X86_TRAP_GP, 0);
	}
}

static enum emul_result w_set_msr(struct emul *e, u32 index, u64 val)
{
	struct world *w = e->ctx;

	w->msr_index = index;
	w->msr_last = val;
	if (index == MSR_KERNEL_GS_BASE)
		w->msr_kernel_gs = val;
	return index == 0xbad ? emul_raise(e, X86_TRAP_GP, 0) : EMUL_OK;
}

static enum emul_result w_get_pmc(struct emul *e, u32 index, u64 *val)
{
	*val = 0x1111222233334444ULL + index;
	return EMUL_OK;
}

static enum emul_result w_cpuid(struct emul *e, u32 regs[4])
{
	regs[3] = regs[0] + regs[2];
	regs[0] = 0xa;
	regs[1] = 0xb;
	regs[2] = 0xc;
	return EMUL_OK;
}

static enum emul_result w_get_xmm(struct emul *e, unsigned int nr, void *buf)
{
	memcpy(buf, ((struct world *)e->ctx)->xmm[nr], 16);
	return EMUL_OK;
}

static enum emul_result w_set_xmm(struct emul *e, unsigned int nr, const void *buf)
{
	memcpy(((struct world *)e->ctx)->xmm[nr], buf, 16);
	return EMUL_OK;
}

static enum emul_result w_get_dt(struct emul *e, enum emul_dt which, struct x86_dt *dt)
{
	*dt = ((struct world *)e->ctx)->dt[which];
	return EMUL_OK;
}

static enum emul_result w_set_dt(struct emul *e, enum emul_dt which, const struct x86_dt *dt)
{
	((struct world *)e->ctx)->dt[which] = *dt;
	return EMUL_OK;
}

static enum emul_result w_get_system_seg(struct emul *e, enum x86_sreg nr, struct x86_seg *seg)
{
	const struct world *w = e->ctx;

	*seg = nr == X86_TR ? w->tr : w->ldtr;
	return EMUL_OK;
}

static enum emul_result w_set_seg(struct emul *e, enum x86_sreg nr, const struct x86_seg *seg)
{
	((struct world *)e->ctx)->set_segs++;
	return EMUL_OK;
}

static enum emul_result w_invlpg(struct emul *e, u64 linear)
{
	((struct world *)e->ctx)->invlpgs++;
	((struct world *)e->ctx)->invlpg_addr = linear;
	return EMUL_OK;
}

static enum emul_result w_system(struct emul *e)
{
	((struct world *)e->ctx)->systems++;
	return EMUL_OK;
}

static enum emul_result w_intercept(struct emul *e)
{
	struct world *w = e->ctx;

	w->intercepts++;
	return w->intercept_result;
}

static bool w_interrupted(struct emul *e)
{
	struct world *w = e->ctx;

	return w->interrupt_after && !--w->interrupt_after;
}

static const struct emul_ops world_ops = {
	.fetch = w_fetch,
	.read = w_read,
	.write = w_write,
	.cmpxchg = w_cmpxchg,
	.pio_in = w_pio_in,
	.pio_out = w_pio_out,
	.io_allowed = w_io_allowed,
	.int_redirected = w_int_redirected,
	.get_cr = w_get_cr,
	.set_cr = w_set_cr,
	.get_dr = w_get_dr,
	.set_dr = w_set_dr,
	.get_msr = w_get_msr,
	.set_msr = w_set_msr,
	.get_pmc = w_get_pmc,
	.cpuid = w_cpuid,
	.get_xmm = w_get_xmm,
	.set_xmm = w_set_xmm,
	.get_dt = w_get_dt,
	.set_dt = w_set_dt,
	.get_system_seg = w_get_system_seg,
	.set_seg = w_set_seg,
	.invlpg = w_invlpg,
	.system = w_system,
	.intercept = w_intercept,
	.interrupted = w_interrupted,
};

enum world_mode { W_REAL, W_VM86, W_PROT16, W_PROT32, W_COMPAT32, W_LONG64, W_NR };

static const char *const world_mode_name[W_NR] = { "real",   "vm86",	 "prot16",
						   "prot32", "compat32", "long64" };

static void w_put(struct world *w, u64 at, u64 val, unsigned int bytes)
{
	memcpy(w->ram + at, &val, bytes);
}

static u64 w_get(const struct world *w, u64 at, unsigned int bytes)
{
	u64 val = 0;

	memcpy(&val, w->ram + at, bytes);
	return val;
}

/* Flat segments, code at 0x1000, stack at 0x3000, everything permitted. */
static struct world *world_reset(struct world *w, enum world_mode mode)
{
	struct emul *e = &w->e;
	unsigned int i;

	memset(w, 0, sizeof(*w));
	emul_init(e, &world_ops, w);
	e->rip = 0x1000;
	e->rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF;
	e->regs[X86_RSP] = 0x3000;
	e->cr4 = X86_CR4_OSFXSR;
	for (i = 0; i < 6; i++) {
		e->segs[i].limit = mode <= W_PROT16 ? 0xffff : ~0u;
		e->segs[i].ar = 0xf3;
	}
	if (mode == W_PROT32 || mode == W_COMPAT32 || mode == W_LONG64) {
		for (i = 0; i < 6; i++)
			e->segs[i].ar = 0xc093;
		e->segs[X86_CS].ar = mode == W_LONG64 ? 0xa09b : 0xc09b;
		e->segs[X86_CS].selector = 0x10;
	}
	if (mode == W_PROT16) {
		e->segs[X86_CS].ar = 0x9b;
		e->segs[X86_SS].ar = 0x93;
	}
	if (mode != W_REAL)
		e->cr0 = X86_CR0_PE;
	if (mode == W_VM86) {
		e->rflags |= X86_EFLAGS_VM | X86_EFLAGS_IOPL;
		e->cpl = 3;
	}
	if (mode >= W_COMPAT32)
		e->efer = EFER_LME | EFER_LMA;
	w->cr[0] = e->cr0;
	w->cr[4] = e->cr4;
	w->dt[EMUL_GDT].base = GDT_BASE;
	w->dt[EMUL_GDT].limit = 0xff;
	w->ldtr.ar = SEG_AR_UNUSABLE;
	return w;
}

static void w_code(struct world *w, const u8 *bytes, unsigned int n)
{
	struct emul *e = &w->e;
	u64 base = e->segs[X86_CS].base;

	memcpy(w->ram + base + e->rip, bytes, n);
	emul_init(e, &world_ops, w);
}

/* Place code at CS:RIP and run one step. */
#define STEP(w, ...) \
	(w_code(w, (const u8[]){ __VA_ARGS__ }, sizeof((u8[]){ __VA_ARGS__ })), emul_step(&(w)->e))

#define assert_fault(w, r, vec, err)                        \
	do {                                                \
		assert_int_equal(r, EMUL_FAULT);            \
		assert_int_equal((w)->e.fault.vector, vec); \
		assert_int_equal((w)->e.fault.error, err);  \
	} while (0)

#endif /* TESTS_EMUL_WORLD_H */
