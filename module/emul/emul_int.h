/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the emulator share: registers, operands, memory, stack and
 * branches of the instruction at hand. Not for use outside emul/.
 */
#ifndef TURTLES_EMUL_INT_H
#define TURTLES_EMUL_INT_H

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "emul/emul.h"

/* The arithmetic flags. */
#define FLAGS_ARITH                                                                      \
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | \
	 X86_EFLAGS_OF)

#define EMUL_REP_BOUND 1024

/* Every handler of opcode_ids.def. */
#define ID(name, handler) enum emul_result handler(struct emul *e);
#include "emul/opcode_ids.def"
#undef ID

static inline bool emul_protected(const struct emul *e)
{
	return e->cr0 & X86_CR0_PE;
}

static inline bool emul_vm86(const struct emul *e)
{
	return emul_protected(e) && (e->rflags & X86_EFLAGS_VM);
}

/* Segments are base = selector * 16: real and virtual-8086 mode. */
static inline bool emul_real_segs(const struct emul *e)
{
	return !emul_protected(e) || (e->rflags & X86_EFLAGS_VM);
}

static inline unsigned int emul_iopl(const struct emul *e)
{
	return (e->rflags & X86_EFLAGS_IOPL) >> X86_EFLAGS_IOPL_BIT;
}

static inline bool emul_locked(const struct emul *e)
{
	return e->insn.prefixes & EPFX_LOCK;
}

/* Mask of the low @bytes bytes. */
static inline u64 size_mask(unsigned int bytes)
{
	return bytes >= 8 ? ~0ULL : (1ULL << (bytes * 8)) - 1;
}

static inline u64 sign_bit(unsigned int bytes)
{
	return 1ULL << (bytes * 8 - 1);
}

static inline u64 sign_extend_bytes(u64 val, unsigned int bytes)
{
	unsigned int shift = 64 - bytes * 8;

	return (u64)((s64)(val << shift) >> shift);
}

/* Stack address size in bytes. */
static inline unsigned int stack_bytes(const struct emul *e)
{
	if (e->mode == EMUL_MODE_64)
		return 8;
	return (e->segs[X86_SS].ar & SEG_AR_DB) ? 4 : 2;
}

static inline enum emul_result raise_gp(struct emul *e, u32 error)
{
	emul_raise(e, X86_TRAP_GP, error);
	return EMUL_FAULT;
}

static inline enum emul_result raise_ud(struct emul *e)
{
	emul_raise(e, X86_TRAP_UD, 0);
	return EMUL_FAULT;
}

/* General registers: parts of a full register, without or with byte-register rules. */
u64 gpr_get(const struct emul *e, unsigned int nr, unsigned int bytes);
void gpr_set(struct emul *e, unsigned int nr, unsigned int bytes, u64 val);

/* Memory through a segment: checks, then the callback. Values up to 8 bytes. */
enum emul_result mem_linear(struct emul *e, unsigned int seg, u64 off, unsigned int size,
			    unsigned int acc, u64 *linear);
enum emul_result mem_read_buf(struct emul *e, unsigned int seg, u64 off, void *buf,
			      unsigned int size, unsigned int acc);
enum emul_result mem_write_buf(struct emul *e, unsigned int seg, u64 off, const void *buf,
			       unsigned int size);
enum emul_result mem_read(struct emul *e, unsigned int seg, u64 off, unsigned int size, u64 *val);
enum emul_result mem_write(struct emul *e, unsigned int seg, u64 off, unsigned int size, u64 val);
enum emul_result mem_cmpxchg(struct emul *e, u64 off, const void *old, const void *new,
			     unsigned int size);
/* Memory at a linear address as the processor itself uses it. */
enum emul_result sys_read(struct emul *e, u64 linear, void *buf, unsigned int size);
enum emul_result sys_write(struct emul *e, u64 linear, const void *buf, unsigned int size);

/* Operands of the row. */
bool opnd_is_mem(const struct emul *e, u16 opnd);
unsigned int opnd_bytes(const struct emul *e, u16 opnd);
enum emul_result opnd_read(struct emul *e, u16 opnd, u64 *val);
enum emul_result opnd_write(struct emul *e, u16 opnd, u64 val);
/* Read of a read-modify-write, and its write; atomic together when @atomic. */
enum emul_result opnd_rmw_read(struct emul *e, u16 opnd, u64 *val);
enum emul_result opnd_rmw_write(struct emul *e, u16 opnd, u64 old, u64 val, bool atomic);

/* Stack. Nothing is written on a fault. */
enum emul_result stack_push(struct emul *e, unsigned int bytes, u64 val);
enum emul_result stack_pop(struct emul *e, unsigned int bytes, u64 *val);
void stack_adjust(struct emul *e, s64 delta);

/* Set the next RIP to a near target, checked. */
enum emul_result branch_near(struct emul *e, u64 target);

/* Condition of Jcc, SETcc, CMOVcc: low four bits of the opcode. */
bool cond_holds(u64 rflags, unsigned int cc);

/*
 * SDM "Virtual-8086 Mode Extensions": CR4.VME is on and IOPL keeps the program from IF, so its
 * interrupt-flag instructions act on VIF. vme.c.
 */
static inline bool emul_vme_vif(const struct emul *e)
{
	return emul_vm86(e) && emul_iopl(e) < 3 && (e->cr4 & X86_CR4_VME);
}

enum emul_result vme_pushf(struct emul *e);
enum emul_result vme_popped(struct emul *e, u64 val); /* POPF, IRET: FLAGS from @val */
enum emul_result vif_cli(struct emul *e);
enum emul_result vme_int(struct emul *e, u8 vector, bool *done);

/* RFLAGS as POPF and IRET may change them at this privilege level. */
u64 flags_popped(const struct emul *e, u64 val, unsigned int bytes);

/* May the port be used? */
enum emul_result port_check(struct emul *e, u16 port, unsigned int size);

/* SDM "PUSHF", "POPF", "INT n", "IRET": in virtual-8086 mode without CR4.VME IOPL must be 3. */
static inline enum emul_result check_vm86_iopl(struct emul *e)
{
	if (emul_vm86(e) && emul_iopl(e) < 3 && !emul_vme_vif(e))
		return raise_gp(e, 0);
	return EMUL_OK;
}

/* Set a segment register that is checked already, here and at the caller's. */
enum emul_result sreg_put(struct emul *e, unsigned int nr, const struct x86_seg *seg);

/* Load a segment register with all checks, SDM "MOV" and "Segment Registers". */
enum emul_result sreg_load(struct emul *e, unsigned int nr, u16 sel);

/* A whole iteration is complete: a later failure returns to this state. */
void emul_checkpoint(struct emul *e);

#endif /* TURTLES_EMUL_INT_H */
