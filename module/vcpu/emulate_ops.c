// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator's callbacks: memory by linear address, devices behind it, ports, system
 * registers. See struct emul_ops for what each must do, and struct vcpu_emul for how an
 * instruction is repeated until user space has answered all its device reads.
 */
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/uaccess.h>
#include <asm/apicdef.h>
#include <asm/msr-index.h>
#include <asm/page.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "irqchip/irqchip.h"
#include "linux/trace.h"
#include "mm/mm.h"
#include "vcpu/bus.h"
#include "vcpu/core.h"
#include "vcpu/emulate.h"
#include "vcpu/emulate_ops.h"
#include "vcpu/nested.h"
#include "vcpu/tpr.h"

static u32 walk_access(struct emul *e, unsigned int acc)
{
	u32 a = acc & EMUL_ACC_WRITE ? WALK_WRITE : 0;

	if (acc & EMUL_ACC_SYSTEM)
		a |= WALK_IMPLICIT;
	else if (e->cpl == 3)
		a |= WALK_USER;
	return a;
}

static enum emul_result translate(struct emul *e, u64 linear, u32 access, u64 *gpa)
{
	struct vcpu *v = e->ctx;
	struct vcpu_emul *em = v->emul;
	struct gva_fault f;

	switch (vcpu_translate_gva(v, linear, access, gpa, &f)) {
	case GVA_OK:
		return EMUL_OK;
	case GVA_PAGE_FAULT:
		return emul_raise_pf(e, f.gva, f.pf_error);
	case GVA_NESTED_FAULT:
		em->nested_fault = true;
		em->nf.l2gpa = f.l2gpa;
		em->nf.gva = f.gva;
		em->nf.qual = f.qual;
		em->nf.misconfig = f.misconfig;
		return EMUL_INTERCEPTED;
	case GVA_AGAIN:
		return EMUL_AGAIN;
	default:
		return EMUL_UNHANDLEABLE;
	}
}

/* Memory of a slot that cannot be reached ends KVM_RUN as when the guest itself gets there. */
static enum emul_result copied(struct vcpu *v, int err)
{
	if (!err)
		return EMUL_OK;
	v->emul->bad_memory = true;
	return EMUL_UNHANDLEABLE;
}

static bool is_memory(struct vcpu *v, u64 gpa, bool write)
{
	return vcpu_gfn_is_memory(v, gpa >> PAGE_SHIFT, write);
}

static enum emul_result op_fetch(struct emul *e, u64 linear, void *buf, unsigned int len)
{
	struct vcpu *v = e->ctx;
	enum emul_result r;
	u64 gpa;

	r = translate(e, linear, WALK_FETCH | (e->cpl == 3 ? WALK_USER : 0), &gpa);
	if (r != EMUL_OK)
		return r;
	if (!is_memory(v, gpa, false))
		return EMUL_UNHANDLEABLE;
	return copied(v, vcpu_read_guest(v, gpa, buf, len));
}

/* One access to device memory that has its value. */
void emulate_trace_mmio(bool write, const struct mmio_frag *f)
{
	u64 val;

	memcpy(&val, f->data, sizeof(val));
	trace_turtles_mmio(write, f->len, f->gpa, val);
}

static void trace_pio(bool write, u16 port, unsigned int size, unsigned int count, const void *buf)
{
	u32 val = 0;

	memcpy(&val, buf, size);
	trace_turtles_pio(write, port, size, count, val);
}

/* The local APIC's page; false for everything else. */
static bool lapic_access(struct vcpu *v, u64 gpa, void *buf, unsigned int len, bool write)
{
	if (!v->lapic)
		return false;
	if (write ? lapic_mmio_write(v, gpa, len, buf) : lapic_mmio_read(v, gpa, len, buf))
		return false;
	if (unlikely(v->tpr_access_reporting) && (gpa & ~PAGE_MASK) == APIC_TASKPRI)
		tpr_access_done(v, write);
	return true;
}

/* A device read of up to 8 bytes inside one page. */
static enum emul_result device_read(struct vcpu *v, u64 gpa, void *buf, unsigned int len)
{
	struct vcpu_emul *em = v->emul;

	if (em->read_pos < em->nr_reads) {
		struct mmio_frag *f = &em->reads[em->read_pos];

		if (f->gpa == gpa && f->len == len) {
			memcpy(buf, f->data, len);
			em->read_pos++;
			return EMUL_OK;
		}
		em->nr_reads = em->read_pos;
	}

	em->pending.gpa = gpa;
	em->pending.len = len;
	memset(em->pending.data, 0, sizeof(em->pending.data));
	if (lapic_access(v, gpa, em->pending.data, len, false) ||
	    !bus_read(v, BUS_MMIO, gpa, len, em->pending.data)) {
		emulate_trace_mmio(false, &em->pending);
		memcpy(buf, em->pending.data, len);
		/* Remembered: the instruction may be repeated for another operand. */
		if (em->nr_reads < EMUL_NR_READS) {
			em->reads[em->nr_reads++] = em->pending;
			em->read_pos = em->nr_reads;
		}
		return EMUL_OK;
	}
	em->wants_read = true;
	return EMUL_IO;
}

static enum emul_result device_write(struct vcpu *v, u64 gpa, const void *buf, unsigned int len)
{
	struct vcpu_emul *em = v->emul;
	struct mmio_frag new = { .gpa = gpa, .len = len };

	memcpy(new.data, buf, len);
	emulate_trace_mmio(true, &new);
	if (lapic_access(v, gpa, new.data, len, true) || !bus_write(v, BUS_MMIO, gpa, len, buf))
		return EMUL_OK;
	if (em->nr_writes == EMUL_NR_WRITES)
		return EMUL_UNHANDLEABLE;
	em->writes[em->nr_writes++] = new;
	return EMUL_OK;
}

static enum emul_result read_page(struct vcpu *v, u64 gpa, void *buf, unsigned int len)
{
	enum emul_result r = EMUL_OK;

	if (is_memory(v, gpa, false))
		return copied(v, vcpu_read_guest(v, gpa, buf, len));
	while (len && r == EMUL_OK) {
		unsigned int n = min(len, 8u);

		r = device_read(v, gpa, buf, n);
		gpa += n;
		buf += n;
		len -= n;
	}
	return r;
}

static enum emul_result op_read(struct emul *e, u64 linear, void *buf, unsigned int len,
				unsigned int acc)
{
	struct vcpu *v = e->ctx;

	while (len) {
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - (linear & ~PAGE_MASK));
		enum emul_result r;
		u64 gpa;

		r = translate(e, linear, walk_access(e, acc), &gpa);
		if (r == EMUL_OK && !(acc & EMUL_ACC_PROBE)) {
			r = read_page(v, gpa, buf, n);
			buf += n;
		}
		if (r != EMUL_OK)
			return r;
		linear += n;
		len -= n;
	}
	return EMUL_OK;
}

static enum emul_result write_page(struct vcpu *v, u64 gpa, const void *buf, unsigned int len)
{
	enum emul_result r = EMUL_OK;

	if (is_memory(v, gpa, true))
		return copied(v, vcpu_write_guest(v, gpa, buf, len));
	while (len && r == EMUL_OK) {
		unsigned int n = min(len, 8u);

		r = device_write(v, gpa, buf, n);
		gpa += n;
		buf += n;
		len -= n;
	}
	return r;
}

static enum emul_result op_write(struct emul *e, u64 linear, const void *buf, unsigned int len,
				 unsigned int acc)
{
	unsigned int first = min_t(unsigned int, len, PAGE_SIZE - (linear & ~PAGE_MASK));
	u32 access = walk_access(e, acc | EMUL_ACC_WRITE);
	struct vcpu *v = e->ctx;
	enum emul_result r;
	u64 gpa[2];

	/* Both pages before the first byte: a fault must leave memory as it was. */
	r = translate(e, linear, access, &gpa[0]);
	if (r == EMUL_OK && len > first)
		r = translate(e, linear + first, access, &gpa[1]);
	if (r != EMUL_OK)
		return r;
	r = write_page(v, gpa[0], buf, first);
	if (r == EMUL_OK && len > first)
		r = write_page(v, gpa[1], buf + first, len - first);
	return r;
}

static enum emul_result op_cmpxchg(struct emul *e, u64 linear, const void *old, const void *new,
				   unsigned int len, unsigned int acc)
{
	struct vcpu *v = e->ctx;
	u64 gpa, o = 0, n = 0;
	enum emul_result r;

	r = translate(e, linear, walk_access(e, acc | EMUL_ACC_WRITE), &gpa);
	if (r != EMUL_OK)
		return r;
	/* Devices, and accesses that no single atomic operation covers, are written plainly. */
	if (!is_memory(v, gpa, true))
		return op_write(e, linear, new, len, acc);
	if (len > 8 || (gpa & (len - 1)))
		return acc & EMUL_ACC_LOCKED ? EMUL_UNHANDLEABLE :
					       op_write(e, linear, new, len, acc);
	memcpy(&o, old, len);
	memcpy(&n, new, len);
	switch (vcpu_cmpxchg_guest(v, gpa, &o, n, len)) {
	case 0:
		return EMUL_OK;
	case 1:
		return EMUL_AGAIN;
	default:
		return copied(v, -EFAULT);
	}
}

static enum emul_result op_pio_in(struct emul *e, u16 port, unsigned int size, void *buf,
				  unsigned int count)
{
	struct vcpu *v = e->ctx;
	struct vcpu_emul *em = v->emul;
	unsigned int i;

	if (em->pio_in_valid) {
		em->pio_in_valid = false;
		if (em->pio_port == port && em->pio_size == size && em->pio_count >= count) {
			memcpy(buf, v->pio_data, size * count);
			trace_pio(false, port, size, count, buf);
			return EMUL_OK;
		}
	}
	for (i = 0; i < count; i++)
		if (bus_read(v, BUS_PIO, port, size, buf + i * size))
			break;
	if (i == count) {
		trace_pio(false, port, size, count, buf);
		return EMUL_OK;
	}
	if (i)
		/* The device vanished in the middle of a batch; the read data is lost with it. */
		return EMUL_UNHANDLEABLE;
	em->pio_wants_in = true;
	em->pio_port = port;
	em->pio_size = size;
	em->pio_count = count;
	return EMUL_IO;
}

static enum emul_result op_pio_out(struct emul *e, u16 port, unsigned int size, const void *buf,
				   unsigned int count)
{
	struct vcpu *v = e->ctx;
	struct vcpu_emul *em = v->emul;
	unsigned int i;

	trace_pio(true, port, size, count, buf);
	for (i = 0; i < count; i++)
		if (bus_write(v, BUS_PIO, port, size, buf + i * size))
			break;
	if (i == count)
		return EMUL_OK;
	memcpy(v->pio_data, buf + i * size, size * (count - i));
	em->pio_out_posted = true;
	em->pio_port = port;
	em->pio_size = size;
	em->pio_count = count - i;
	return EMUL_OK;
}

/* TR, and where in its TSS the I/O permission bit map begins. */
static enum emul_result tss_io_map(struct emul *e, struct x86_seg *tr, u16 *base)
{
	hw->get_seg(e->ctx, X86_TR, tr);
	if (tr->limit < 103)
		return emul_raise(e, X86_TRAP_GP, 0);
	return op_read(e, tr->base + 102, base, 2, EMUL_ACC_SYSTEM);
}

/* SDM "I/O Permission Bit Map". */
static enum emul_result op_io_allowed(struct emul *e, u16 port, unsigned int size)
{
	enum emul_result r;
	struct x86_seg tr;
	u16 base, bits;

	r = tss_io_map(e, &tr, &base);
	if (r != EMUL_OK)
		return r;
	if ((u32)base + port / 8 + 1 > tr.limit)
		return emul_raise(e, X86_TRAP_GP, 0);
	r = op_read(e, tr.base + base + port / 8, &bits, 2, EMUL_ACC_SYSTEM);
	if (r != EMUL_OK)
		return r;
	if ((bits >> (port & 7)) & ((1 << size) - 1))
		return emul_raise(e, X86_TRAP_GP, 0);
	return EMUL_OK;
}

/* SDM "Software Interrupt Redirection Bit Map": the 32 bytes below the I/O permission bit map. */
static enum emul_result op_int_redirected(struct emul *e, u8 vector, bool *to_program)
{
	enum emul_result r;
	struct x86_seg tr;
	u16 base;
	u8 bits;

	r = tss_io_map(e, &tr, &base);
	if (r != EMUL_OK)
		return r;
	if (base < 32 || (u32)base - 32 + vector / 8 > tr.limit)
		return emul_raise(e, X86_TRAP_GP, 0);
	r = op_read(e, tr.base + base - 32 + vector / 8, &bits, 1, EMUL_ACC_SYSTEM);
	*to_program = !(bits >> (vector & 7) & 1);
	return r;
}

static enum emul_result op_get_cr(struct emul *e, unsigned int nr, u64 *val)
{
	struct vcpu *v = e->ctx;

	switch (nr) {
	case 0:
		*val = nested_read_cr0(v);
		return EMUL_OK;
	case 2:
		*val = v->cr2;
		return EMUL_OK;
	case 3:
		*val = hw->get_cr3(v);
		return EMUL_OK;
	case 4:
		*val = nested_read_cr4(v);
		return EMUL_OK;
	case 8:
		*val = vcpu_get_cr8(v);
		return EMUL_OK;
	}
	return emul_raise(e, X86_TRAP_UD, 0);
}

static enum emul_result op_set_cr(struct emul *e, unsigned int nr, u64 val)
{
	struct vcpu *v = e->ctx;
	int fault;

	switch (nr) {
	case 0:
		fault = vcpu_set_cr0(v, nested_merge_cr0(v, val));
		break;
	case 2:
		v->cr2 = val;
		return EMUL_OK;
	case 3:
		fault = vcpu_set_cr3(v, val);
		break;
	case 4:
		fault = vcpu_set_cr4(v, nested_merge_cr4(v, val));
		break;
	case 8:
		fault = vcpu_set_cr8(v, val);
		break;
	default:
		return emul_raise(e, X86_TRAP_UD, 0);
	}
	return fault ? emul_raise(e, X86_TRAP_GP, 0) : EMUL_OK;
}

static enum emul_result op_get_dr(struct emul *e, unsigned int nr, u64 *val)
{
	*val = vcpu_get_dr(e->ctx, nr);
	return EMUL_OK;
}

static enum emul_result op_set_dr(struct emul *e, unsigned int nr, u64 val)
{
	return vcpu_set_dr(e->ctx, nr, val) ? emul_raise(e, X86_TRAP_GP, 0) : EMUL_OK;
}

static enum emul_result op_get_msr(struct emul *e, u32 index, u64 *val)
{
	return vcpu_get_msr(e->ctx, index, val, false) ? emul_raise(e, X86_TRAP_GP, 0) : EMUL_OK;
}

static enum emul_result op_set_msr(struct emul *e, u32 index, u64 val)
{
	return vcpu_set_msr(e->ctx, index, val, false) ? emul_raise(e, X86_TRAP_GP, 0) : EMUL_OK;
}

static enum emul_result op_cpuid(struct emul *e, u32 r[4])
{
	vcpu_cpuid(e->ctx, &r[0], &r[1], &r[2], &r[3]);
	return EMUL_OK;
}

static enum emul_result op_get_xmm(struct emul *e, unsigned int nr, void *buf)
{
	vcpu_get_xmm(e->ctx, nr, buf);
	return EMUL_OK;
}

static enum emul_result op_set_xmm(struct emul *e, unsigned int nr, const void *buf)
{
	vcpu_set_xmm(e->ctx, nr, buf);
	return EMUL_OK;
}

static enum emul_result op_get_dt(struct emul *e, enum emul_dt which, struct x86_dt *dt)
{
	if (which == EMUL_GDT)
		hw->get_gdt(e->ctx, dt);
	else
		hw->get_idt(e->ctx, dt);
	return EMUL_OK;
}

static enum emul_result op_set_dt(struct emul *e, enum emul_dt which, const struct x86_dt *dt)
{
	if (which == EMUL_GDT)
		hw->set_gdt(e->ctx, dt);
	else
		hw->set_idt(e->ctx, dt);
	return EMUL_OK;
}

static enum emul_result op_get_system_seg(struct emul *e, enum x86_sreg nr, struct x86_seg *seg)
{
	hw->get_seg(e->ctx, nr, seg);
	return EMUL_OK;
}

static enum emul_result op_set_seg(struct emul *e, enum x86_sreg nr, const struct x86_seg *seg)
{
	hw->set_seg(e->ctx, nr, seg);
	return EMUL_OK;
}

static enum emul_result op_invlpg(struct emul *e, u64 linear)
{
	hw->tlb_flush_gva(e->ctx, linear);
	return EMUL_OK;
}

/* Instructions that are the vCPU's business; see exit.c for their exits. */
static enum emul_result op_system(struct emul *e)
{
	struct vcpu *v = e->ctx;

	switch (e->insn.op->id) {
	case OPC_HLT:
		v->emul->system_done = true;
		v->emul->system_result = vcpu_halt(v);
		return EMUL_OK;
	case OPC_WBINVD:
	case OPC_INVD:
	case OPC_MONITOR:
	case OPC_MWAIT:
		return EMUL_OK;
	case OPC_XSETBV:
		if ((u32)e->regs[X86_RCX] ||
		    vcpu_set_xcr0(v, (e->regs[X86_RDX] << 32) | (u32)e->regs[X86_RAX]))
			return emul_raise(e, X86_TRAP_GP, 0);
		return EMUL_OK;
	case OPC_RSM:
		/* In SMM the hardware says #UD, which leads to vcpu_rsm(). */
		return v->smm ? EMUL_AGAIN : emul_raise(e, X86_TRAP_UD, 0);
	}
	return EMUL_UNHANDLEABLE;
}

/* Stop a repeated string instruction for events, and when the write queue has an entry. */
static bool op_interrupted(struct emul *e)
{
	struct vcpu *v = e->ctx;

	return v->emul->nr_writes || v->emul->pio_out_posted || READ_ONCE(v->requests) ||
	       need_resched();
}

const struct emul_ops vcpu_emul_ops = {
	.fetch = op_fetch,
	.read = op_read,
	.write = op_write,
	.cmpxchg = op_cmpxchg,
	.pio_in = op_pio_in,
	.pio_out = op_pio_out,
	.io_allowed = op_io_allowed,
	.int_redirected = op_int_redirected,
	.get_cr = op_get_cr,
	.set_cr = op_set_cr,
	.get_dr = op_get_dr,
	.set_dr = op_set_dr,
	.get_msr = op_get_msr,
	.set_msr = op_set_msr,
	.cpuid = op_cpuid,
	.get_xmm = op_get_xmm,
	.set_xmm = op_set_xmm,
	.get_dt = op_get_dt,
	.set_dt = op_set_dt,
	.get_system_seg = op_get_system_seg,
	.set_seg = op_set_seg,
	.invlpg = op_invlpg,
	.system = op_system,
	.interrupted = op_interrupted,
};
