// SPDX-License-Identifier: GPL-2.0-only
/*
 * String instructions and port I/O. A repeated instruction commits every iteration, so
 * that it can stop for a fault, for user space or for an interrupt and go on later.
 * Called through the table in exec.c.
 */
#include "emul/alu.h"
#include "emul/emul_int.h"

static bool is_rep(const struct emul *e)
{
	return e->insn.prefixes & (EPFX_REP | EPFX_REPNE);
}

static u64 index_get(const struct emul *e, unsigned int reg)
{
	return gpr_get(e, reg, e->insn.adsize);
}

/* Move an index register by @count elements, in the direction of DF. */
static void index_step(struct emul *e, unsigned int reg, u64 bytes)
{
	u64 delta = (e->rflags & X86_EFLAGS_DF) ? -bytes : bytes;

	gpr_set(e, reg, e->insn.adsize, e->regs[reg] + delta);
}

static enum emul_result read_src(struct emul *e, unsigned int bytes, u64 *val)
{
	return mem_read(e, e->insn.seg, index_get(e, X86_RSI), bytes, val);
}

static enum emul_result read_dst(struct emul *e, unsigned int bytes, u64 *val)
{
	return mem_read(e, X86_ES, index_get(e, X86_RDI), bytes, val);
}

static enum emul_result string_movs(struct emul *e, unsigned int bytes)
{
	enum emul_result r;
	u64 val;

	r = read_src(e, bytes, &val);
	if (!r)
		r = mem_write(e, X86_ES, index_get(e, X86_RDI), bytes, val);
	if (r)
		return r;
	index_step(e, X86_RSI, bytes);
	index_step(e, X86_RDI, bytes);
	return EMUL_OK;
}

static enum emul_result string_cmps(struct emul *e, unsigned int bytes)
{
	enum emul_result r;
	u64 a, b;

	r = read_src(e, bytes, &a);
	if (!r)
		r = read_dst(e, bytes, &b);
	if (r)
		return r;
	alu_sub(a, b, false, bytes, &e->rflags);
	index_step(e, X86_RSI, bytes);
	index_step(e, X86_RDI, bytes);
	return EMUL_OK;
}

static enum emul_result string_scas(struct emul *e, unsigned int bytes)
{
	enum emul_result r;
	u64 b;

	r = read_dst(e, bytes, &b);
	if (r)
		return r;
	alu_sub(gpr_get(e, X86_RAX, bytes), b, false, bytes, &e->rflags);
	index_step(e, X86_RDI, bytes);
	return EMUL_OK;
}

static enum emul_result string_once(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int bytes = opnd_bytes(e, op->opnd[0]);
	enum emul_result r;
	u64 val;

	switch (op->id) {
	case OPC_MOVS:
		return string_movs(e, bytes);
	case OPC_CMPS:
		return string_cmps(e, bytes);
	case OPC_SCAS:
		return string_scas(e, bytes);
	case OPC_STOS:
		r = mem_write(e, X86_ES, index_get(e, X86_RDI), bytes, gpr_get(e, X86_RAX, bytes));
		if (!r)
			index_step(e, X86_RDI, bytes);
		return r;
	default: /* LODS */
		r = read_src(e, bytes, &val);
		if (r)
			return r;
		gpr_set(e, X86_RAX, bytes, val);
		index_step(e, X86_RSI, bytes);
		return EMUL_OK;
	}
}

/* REPE and REPNE end CMPS and SCAS by ZF. */
static bool rep_ends_by_zf(const struct emul *e)
{
	bool zf = e->rflags & X86_EFLAGS_ZF;

	if (e->insn.op->id != OPC_CMPS && e->insn.op->id != OPC_SCAS)
		return false;
	return (e->insn.prefixes & EPFX_REP) ? !zf : zf;
}

/* Take @count iterations off rCX and commit; true when none are left. */
static bool rep_commit(struct emul *e, u64 count)
{
	gpr_set(e, X86_RCX, e->insn.adsize, e->regs[X86_RCX] - count);
	emul_checkpoint(e);
	return !index_get(e, X86_RCX);
}

static bool stop_for_events(struct emul *e)
{
	return e->ops->interrupted && e->ops->interrupted(e);
}

enum emul_result exec_string(struct emul *e)
{
	enum emul_result r;
	unsigned int i;

	if (!is_rep(e))
		return string_once(e);
	if (!index_get(e, X86_RCX))
		return EMUL_OK;
	for (i = 0; i < EMUL_REP_BOUND; i++) {
		r = string_once(e);
		if (r)
			return r;
		if (rep_commit(e, 1) || rep_ends_by_zf(e))
			return EMUL_OK;
		if (stop_for_events(e))
			break;
	}
	return EMUL_AGAIN;
}

/* SDM "I/O Permission Bit Map": above IOPL, and in virtual-8086 mode, the TSS decides. */
enum emul_result port_check(struct emul *e, u16 port, unsigned int size)
{
	if (!emul_protected(e))
		return EMUL_OK;
	if (!emul_vm86(e) && e->cpl <= emul_iopl(e))
		return EMUL_OK;
	if (!e->ops->io_allowed)
		return raise_gp(e, 0);
	return e->ops->io_allowed(e, port, size);
}

static u16 port_of(struct emul *e, u16 opnd)
{
	return OPND_KIND(opnd) == OK_DX ? e->regs[X86_RDX] : e->insn.imm;
}

enum emul_result exec_in(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int size = opnd_bytes(e, op->opnd[0]);
	u16 port = port_of(e, op->opnd[1]);
	enum emul_result r;
	u64 val = 0;

	r = port_check(e, port, size);
	if (r)
		return r;
	if (!e->ops->pio_in)
		return EMUL_UNHANDLEABLE;
	r = e->ops->pio_in(e, port, size, &val, 1);
	return r ? r : opnd_write(e, op->opnd[0], val);
}

enum emul_result exec_out(struct emul *e)
{
	const struct emul_opcode *op = e->insn.op;
	unsigned int size = opnd_bytes(e, op->opnd[1]);
	u16 port = port_of(e, op->opnd[0]);
	enum emul_result r;
	u64 val;

	r = port_check(e, port, size);
	if (r)
		return r;
	if (!e->ops->pio_out)
		return EMUL_UNHANDLEABLE;
	val = gpr_get(e, X86_RAX, size);
	return e->ops->pio_out(e, port, size, &val, 1);
}

/*
 * How many elements of INS or OUTS one call may move: upwards, inside one page and
 * inside the buffer, and not around the end of the address space.
 */
static unsigned int pio_batch(struct emul *e, unsigned int seg, u64 off, unsigned int size,
			      unsigned int acc, u64 *linear)
{
	u64 n, left = size_mask(e->insn.adsize) - off;

	if (!is_rep(e) || (e->rflags & X86_EFLAGS_DF))
		return 1;
	if (mem_linear(e, seg, off, size, acc, linear))
		return 1; /* the single element raises it */
	n = min_t(u64, index_get(e, X86_RCX), sizeof(e->pio_buf) / size);
	n = min_t(u64, n, (4096 - (*linear & 4095)) / size);
	if (left / size < n)
		n = left / size;
	if (n < 2 || mem_linear(e, seg, off, n * size, acc, linear))
		return 1;
	return n;
}

/* Batch of INS: the destination is checked before the device is read. */
static enum emul_result ins_batch(struct emul *e, unsigned int size, u64 *count)
{
	u64 off = index_get(e, X86_RDI), linear;
	u16 port = e->regs[X86_RDX];
	enum emul_result r;
	unsigned int n;

	n = pio_batch(e, X86_ES, off, size, EMUL_ACC_WRITE, &linear);
	r = mem_linear(e, X86_ES, off, n * size, EMUL_ACC_WRITE, &linear);
	if (!r)
		r = e->ops->read(e, linear, NULL, n * size, EMUL_ACC_WRITE | EMUL_ACC_PROBE);
	if (!r)
		r = e->ops->pio_in(e, port, size, e->pio_buf, n);
	if (!r)
		r = e->ops->write(e, linear, e->pio_buf, n * size, EMUL_ACC_WRITE);
	if (r)
		return r;
	index_step(e, X86_RDI, (u64)n * size);
	*count = n;
	return EMUL_OK;
}

static enum emul_result outs_batch(struct emul *e, unsigned int size, u64 *count)
{
	u64 off = index_get(e, X86_RSI), linear;
	u16 port = e->regs[X86_RDX];
	enum emul_result r;
	unsigned int n;

	n = pio_batch(e, e->insn.seg, off, size, 0, &linear);
	r = mem_linear(e, e->insn.seg, off, n * size, 0, &linear);
	if (!r)
		r = e->ops->read(e, linear, e->pio_buf, n * size, 0);
	if (!r)
		r = e->ops->pio_out(e, port, size, e->pio_buf, n);
	if (r)
		return r;
	index_step(e, X86_RSI, (u64)n * size);
	*count = n;
	return EMUL_OK;
}

/* INS and OUTS: one batch per step when repeated. */
static enum emul_result string_io(struct emul *e, unsigned int size, bool in)
{
	enum emul_result r;
	u64 count;

	if (is_rep(e) && !index_get(e, X86_RCX))
		return EMUL_OK;
	r = port_check(e, e->regs[X86_RDX], size);
	if (r)
		return r;
	if (in ? !e->ops->pio_in : !e->ops->pio_out)
		return EMUL_UNHANDLEABLE;
	r = in ? ins_batch(e, size, &count) : outs_batch(e, size, &count);
	if (r || !is_rep(e))
		return r;
	return rep_commit(e, count) ? EMUL_OK : EMUL_AGAIN;
}

enum emul_result exec_ins(struct emul *e)
{
	return string_io(e, opnd_bytes(e, e->insn.op->opnd[0]), true);
}

enum emul_result exec_outs(struct emul *e)
{
	return string_io(e, opnd_bytes(e, e->insn.op->opnd[1]), false);
}
