/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction emulator: decodes the instruction at CS:RIP and carries it out on
 * the state in struct emul. It exists for instructions that the hardware
 * cannot complete: those which touch emulated devices, string I/O, and those
 * which a hypervisor intercepts and the hardware does not decode.
 *
 * The vcpu layer fills a struct emul, calls emul_step() and writes the state
 * back. Memory, ports and system registers are reached only through struct
 * emul_ops. The emulator knows no vcpu, no paging, no device and no nesting level.
 *
 * Contract for all results: @regs, @rip, @rflags hold a consistent state to resume
 * from, and the caller may always write them back. They changed only on
 * EMUL_DONE, and by whole completed iterations of a repeated string instruction
 * on the others.
 */
#ifndef TURTLES_EMUL_EMUL_H
#define TURTLES_EMUL_EMUL_H

#include <linux/types.h>

#include "emul/decode.h"
#include "hw/x86_state.h"

struct emul;

/**
 * enum emul_result - of emul_step() and of every callback
 * @EMUL_DONE: completed; RIP is at the next instruction. Callbacks: success
 * @EMUL_AGAIN: not completed, nothing wrong: deliver pending events, then
 *	resume at the same RIP (by hardware or by emul_step()). A repeated string
 *	instruction reached its iteration bound, or a compare-exchange lost a race
 * @EMUL_FAULT: emul.fault is to be delivered
 * @EMUL_IO: a callback needs user space first. Call emul_step() on the same struct
 *	again when the answer is there; the callbacks are repeated with the same
 *	arguments. Nothing with a side effect was done before the callback that
 *	returned this
 * @EMUL_INTERCEPTED: a callback (the intercept hook, usually) took the
 *	instruction over; nothing was done
 * @EMUL_UNHANDLEABLE: the emulator does not implement it; emul.bytes holds the
 *	instruction for the report
 */
enum emul_result {
	EMUL_DONE,
	EMUL_OK = EMUL_DONE,
	EMUL_AGAIN,
	EMUL_FAULT,
	EMUL_IO,
	EMUL_INTERCEPTED,
	EMUL_UNHANDLEABLE,
};

/* What a memory access is for; the linear address is checked already. */
#define EMUL_ACC_WRITE	BIT(0) /* write, or read of a read-modify-write */
#define EMUL_ACC_SYSTEM BIT(1) /* implicit supervisor access (GDT, LDT, TSS) */
#define EMUL_ACC_PROBE	BIT(2) /* check the translation only; buf is NULL */
#define EMUL_ACC_LOCKED BIT(3) /* part of a locked read-modify-write */

/**
 * struct emul_fault - an event to deliver, raised by the instruction
 * @vector:    exception or interrupt vector
 * @has_error: @error is pushed (never set in real mode)
 * @error:     error code
 * @payload:   CR2 of a #PF, DR6 bits of a #DB
 * @soft:      INT n, INT3, INTO, INT1: a trap whose return address is RIP + @insn_len
 * @insn_len:  length of the instruction when @soft
 */
struct emul_fault {
	u8 vector;
	bool has_error;
	bool soft;
	u8 insn_len;
	u32 error;
	u64 payload;
};

enum emul_dt { EMUL_GDT, EMUL_IDT };

/**
 * struct emul_ops - what the emulator asks of its caller
 *
 * Callbacks which raise a fault call emul_raise() or fill emul.fault and
 * return EMUL_FAULT. A callback that is NULL makes the instructions which need it
 * EMUL_UNHANDLEABLE, except where it says otherwise. @len never exceeds 16, except
 * for the PIO batches and @fetch; accesses may cross a page boundary.
 *
 * @fetch: read instruction bytes at a linear address; all @len are in one page
 * @read: read memory. With EMUL_ACC_PROBE only the translation is checked for the
 *	access and nothing is read
 * @write: write memory. The last thing an iteration does but changing registers
 * @cmpxchg: atomically compare @len bytes (1, 2, 4, 8, 16) with @old and, if equal,
 *	write @new. EMUL_AGAIN when they differ. May be a plain write on devices
 * @pio_in: read @count elements of @size from @port; at most 1024 bytes
 * @pio_out: write them
 * @io_allowed: may this port be used, when CPL and IOPL say that the TSS decides;
 *	#GP when NULL
 * @int_redirected: does the TSS redirect INT @vector of a virtual-8086 program to the program's
 *	own interrupt table; #GP when NULL
 * @get_cr, @set_cr: CR0, CR2, CR3, CR4, CR8; the setter checks the value
 * @get_dr, @set_dr: DR0-DR3, DR6, DR7; numbers 4 and 5 are resolved already
 * @get_msr, @set_msr: RDMSR, WRMSR; also TSC for RDTSC, TSC_AUX for RDTSCP
 * @get_pmc: RDPMC
 * @cpuid: in and out in @regs: EAX, ECX in, EAX, EBX, ECX, EDX out (in that order)
 * @get_xmm, @set_xmm: a whole XMM register; setting leaves the upper YMM part
 * @get_dt, @set_dt: GDTR and IDTR
 * @get_system_seg: LDTR or TR with its hidden part
 * @set_seg: a segment register, after all checks; also sets emul.segs[n] (the
 *	emulator does that). The DPL of a new SS is the new privilege level
 * @invlpg: invalidate the translation of a linear address
 * @system: carry out emul.insn.op->id, an instruction that is the vcpu layer's
 *	business: HLT WBINVD INVD XSETBV XGETBV MONITOR MWAIT RSM VMCALL VMMCALL,
 *	INVPCID, PAUSE (no-op when NULL), SWAPGS is done by the emulator, and all VMX
 *	instructions. Privilege was checked where the row says F_CPL0. On EMUL_OK
 *	RIP is advanced, unless the callback changed emul.rip itself
 * @intercept: optional; called once when the instruction is decoded and its
 *	privilege checked, before it does anything
 * @interrupted: optional; true when a repeated string instruction should stop
 *	after this iteration so that events can be delivered
 */
struct emul_ops {
	enum emul_result (*fetch)(struct emul *e, u64 linear, void *buf, unsigned int len);
	enum emul_result (*read)(struct emul *e, u64 linear, void *buf, unsigned int len,
				 unsigned int acc);
	enum emul_result (*write)(struct emul *e, u64 linear, const void *buf, unsigned int len,
				  unsigned int acc);
	enum emul_result (*cmpxchg)(struct emul *e, u64 linear, const void *old, const void *new,
				    unsigned int len, unsigned int acc);
	enum emul_result (*pio_in)(struct emul *e, u16 port, unsigned int size, void *buf,
				   unsigned int count);
	enum emul_result (*pio_out)(struct emul *e, u16 port, unsigned int size, const void *buf,
				    unsigned int count);
	enum emul_result (*io_allowed)(struct emul *e, u16 port, unsigned int size);
	enum emul_result (*int_redirected)(struct emul *e, u8 vector, bool *to_program);
	enum emul_result (*get_cr)(struct emul *e, unsigned int nr, u64 *val);
	enum emul_result (*set_cr)(struct emul *e, unsigned int nr, u64 val);
	enum emul_result (*get_dr)(struct emul *e, unsigned int nr, u64 *val);
	enum emul_result (*set_dr)(struct emul *e, unsigned int nr, u64 val);
	enum emul_result (*get_msr)(struct emul *e, u32 index, u64 *val);
	enum emul_result (*set_msr)(struct emul *e, u32 index, u64 val);
	enum emul_result (*get_pmc)(struct emul *e, u32 index, u64 *val);
	enum emul_result (*cpuid)(struct emul *e, u32 regs[4]);
	enum emul_result (*get_xmm)(struct emul *e, unsigned int nr, void *buf);
	enum emul_result (*set_xmm)(struct emul *e, unsigned int nr, const void *buf);
	enum emul_result (*get_dt)(struct emul *e, enum emul_dt which, struct x86_dt *dt);
	enum emul_result (*set_dt)(struct emul *e, enum emul_dt which, const struct x86_dt *dt);
	enum emul_result (*get_system_seg)(struct emul *e, enum x86_sreg nr, struct x86_seg *seg);
	enum emul_result (*set_seg)(struct emul *e, enum x86_sreg nr, const struct x86_seg *seg);
	enum emul_result (*invlpg)(struct emul *e, u64 linear);
	enum emul_result (*system)(struct emul *e);
	enum emul_result (*intercept)(struct emul *e);
	bool (*interrupted)(struct emul *e);
};

/* Interrupt shadow left by the instruction. */
#define EMUL_SHADOW_STI	  BIT(0)
#define EMUL_SHADOW_MOVSS BIT(1)

/**
 * struct emul - one instruction being emulated
 *
 * In and out: @regs, @rip, @rflags, and @segs (out through @ops->set_seg too).
 * In: @ops, @ctx, @cr0, @cr4, @efer, @cpl; @bytes and @nr_bytes when the
 * hardware supplied instruction bytes (else @nr_bytes is 0 and they are fetched).
 * Out: @fault on EMUL_FAULT, @shadow on EMUL_DONE, @insn and @bytes once decoded.
 * The rest is private.
 *
 * A caller that emulates with RFLAGS.TF set raises #DB itself on EMUL_DONE.
 */
struct emul {
	const struct emul_ops *ops;
	void *ctx;

	u64 regs[X86_NR_REGS];
	u64 rip;
	u64 rflags;
	struct x86_seg segs[6];
	u64 cr0;
	u64 cr4;
	u64 efer;
	u8 cpl;
	u8 shadow;

	struct emul_fault fault;

	struct emul_insn insn;
	u8 bytes[EMUL_INSN_MAX + 1];
	u8 nr_bytes;

	/* private to emul/ */
	bool keep_insn; /* @insn stays valid for the next emul_step() */
	enum emul_mode mode;
	u64 kept_rip;
	u64 next_rip;
	u64 ea; /* effective address of the memory operand */
	u64 saved_regs[X86_NR_REGS];
	u64 saved_rip;
	u64 saved_rflags;
	u8 pio_buf[1024];
};

/**
 * emul_init() - prepare a struct emul for a new instruction
 * @e:   to prepare; the caller then fills the inputs
 * @ops: callbacks
 * @ctx: the caller's own
 */
void emul_init(struct emul *e, const struct emul_ops *ops, void *ctx);

/**
 * emul_step() - emulate the instruction at CS:RIP, or some iterations of it
 * @e: state, see struct emul
 *
 * Bounded: a repeated string instruction stops after 1024 iterations.
 */
enum emul_result emul_step(struct emul *e);

/**
 * emul_fetch_decode() - fetch and decode the instruction at CS:RIP, no more
 * @e: state; @e->insn is the result
 *
 * Return: EMUL_OK, EMUL_FAULT (#UD, #GP, or what the fetch raised), or what the fetch returned.
 */
enum emul_result emul_fetch_decode(struct emul *e);

/**
 * emul_mem_operand() - linear address of the ModRM memory operand
 * @e:      with a decoded instruction
 * @size:   bytes that will be accessed
 * @write:  they will be written
 * @linear: result
 *
 * Does the segment and canonical checks of an access.
 * Return: EMUL_OK or EMUL_FAULT (#GP or #SS).
 */
enum emul_result emul_mem_operand(struct emul *e, unsigned int size, bool write, u64 *linear);

/**
 * emul_raise() - fill in the fault to deliver
 * @e:      state
 * @vector: X86_TRAP_*
 * @error:  error code, used when the vector has one and the mode is protected
 *
 * Return: EMUL_FAULT
 */
enum emul_result emul_raise(struct emul *e, u8 vector, u32 error);

/* #PF with its address. */
enum emul_result emul_raise_pf(struct emul *e, u64 linear, u32 error);

#endif /* TURTLES_EMUL_EMUL_H */
