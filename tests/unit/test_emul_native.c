/* link: emul/decode.c emul/optable.c emul/alu.c emul/exec.c emul/exec_alu.c emul/exec_data.c emul/exec_fast.c emul/exec_flow.c emul/exec_seg.c emul/exec_sse.c emul/exec_string.c emul/exec_system.c emul/operand.c emul/vme.c */
/* cflags: -D_GNU_SOURCE */
// SPDX-License-Identifier: GPL-2.0-only
/*
 * The executor against the real processor of this machine: random encodings of the harmless
 * rows of the opcode table, with random operands, in 64-bit and in 32-bit code.
 * Registers, memory, XMM registers, defined flags and faults must be the same.
 *
 * UNIT_NATIVE_ROUNDS overrides the number of instructions per mode.
 */
#include "unit.h"

#include <errno.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "emul/emul.h"
#include "native.h"

#define ROUNDS 150000
#define FLAGS_ARITH                                                                      \
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | \
	 X86_EFLAGS_OF)

static u8 *const buf = (void *)NATIVE_BUF;
static u64 seed;
static u8 code[16];

static bool in_buf(u64 linear, unsigned int len)
{
	return linear >= NATIVE_BUF && linear + len <= NATIVE_BUF + NATIVE_BUF_SIZE;
}

static enum emul_result op_fetch(struct emul *e, u64 linear, void *b, unsigned int len)
{
	u64 pos = linear - NATIVE_CODE;

	assert_true(pos + len <= sizeof(code));
	memcpy(b, code + pos, len);
	return EMUL_OK;
}

static enum emul_result op_read(struct emul *e, u64 linear, void *b, unsigned int len,
				unsigned int acc)
{
	if (!in_buf(linear, len))
		return emul_raise_pf(e, linear, 0);
	memcpy(b, (void *)linear, len);
	return EMUL_OK;
}

static enum emul_result op_write(struct emul *e, u64 linear, const void *b, unsigned int len,
				 unsigned int acc)
{
	if (!in_buf(linear, len))
		return emul_raise_pf(e, linear, 2);
	memcpy((void *)linear, b, len);
	return EMUL_OK;
}

static enum emul_result op_cmpxchg(struct emul *e, u64 linear, const void *old, const void *new,
				   unsigned int len, unsigned int acc)
{
	if (!in_buf(linear, len))
		return emul_raise_pf(e, linear, 2);
	if (memcmp((void *)linear, old, len))
		return EMUL_AGAIN;
	memcpy((void *)linear, new, len);
	return EMUL_OK;
}

static u8 emul_xmm[16][16];

static enum emul_result op_get_xmm(struct emul *e, unsigned int nr, void *b)
{
	memcpy(b, emul_xmm[nr], 16);
	return EMUL_OK;
}

static enum emul_result op_set_xmm(struct emul *e, unsigned int nr, const void *b)
{
	memcpy(emul_xmm[nr], b, 16);
	return EMUL_OK;
}

static const struct emul_ops ops = {
	.fetch = op_fetch,
	.read = op_read,
	.write = op_write,
	.cmpxchg = op_cmpxchg,
	.get_xmm = op_get_xmm,
	.set_xmm = op_set_xmm,
};

/* What may run natively, and which flags it leaves undefined. */
static bool harmless(u16 id, u64 *undefined)
{
	const u64 c = X86_EFLAGS_CF, p = X86_EFLAGS_PF, a = X86_EFLAGS_AF, z = X86_EFLAGS_ZF,
		  s = X86_EFLAGS_SF, o = X86_EFLAGS_OF;

	*undefined = 0;
	if (id >= OPC_ROL && id <= OPC_SAR) {
		*undefined = a | o | c; /* refined by shift_flags() */
		return true;
	}
	switch (id) {
	case OPC_ADD:
	case OPC_ADC:
	case OPC_SUB:
	case OPC_SBB:
	case OPC_CMP:
	case OPC_INC:
	case OPC_DEC:
	case OPC_NEG:
	case OPC_NOT:
	case OPC_MOV:
	case OPC_MOVZX:
	case OPC_MOVSX:
	case OPC_MOVBE:
	case OPC_LEA:
	case OPC_XCHG:
	case OPC_XADD:
	case OPC_CMPXCHG:
	case OPC_CMPXCHG8B:
	case OPC_CBW:
	case OPC_CWD:
	case OPC_SETCC:
	case OPC_CMOVCC:
	case OPC_XLAT:
	case OPC_SALC:
	case OPC_CLC:
	case OPC_STC:
	case OPC_CMC:
	case OPC_CLD:
	case OPC_STD:
	case OPC_LAHF:
	case OPC_SAHF:
	case OPC_NOP:
	case OPC_PUSH:
	case OPC_POP:
	case OPC_PUSHA:
	case OPC_POPA:
	case OPC_PUSHF:
	case OPC_ENTER:
	case OPC_LEAVE:
	case OPC_MOVS:
	case OPC_CMPS:
	case OPC_STOS:
	case OPC_LODS:
	case OPC_SCAS:
	case OPC_XMOVU:
	case OPC_XMOVA:
	case OPC_XMOVS:
	case OPC_XMOVL:
	case OPC_XMOVH:
	case OPC_XMOVD:
	case OPC_XMOVQ:
	case OPC_BSWAP:
	case OPC_POPCNT:
	case OPC_FENCE:
	case OPC_BOUND:
		return true;
	case OPC_AND:
	case OPC_OR:
	case OPC_XOR:
	case OPC_TEST:
		*undefined = a;
		return true;
	case OPC_MUL:
	case OPC_IMUL1:
	case OPC_IMUL2:
	case OPC_IMUL3:
		*undefined = s | z | a | p;
		return true;
	case OPC_DIV:
	case OPC_IDIV:
		*undefined = FLAGS_ARITH;
		return true;
	case OPC_SHLD:
	case OPC_SHRD:
		*undefined = a | o;
		return true;
	case OPC_BT:
	case OPC_BTS:
	case OPC_BTR:
	case OPC_BTC:
		*undefined = o | s | a | p;
		return true;
	case OPC_BSF:
	case OPC_BSR:
		*undefined = c | o | s | a | p;
		return true;
	case OPC_TZCNT:
	case OPC_LZCNT:
		*undefined = o | s | a | p;
		return true;
	case OPC_DAA:
	case OPC_DAS:
		*undefined = o;
		return true;
	case OPC_AAA:
	case OPC_AAS:
		*undefined = o | s | z | p;
		return true;
	case OPC_AAM:
	case OPC_AAD:
		*undefined = o | a | c;
		return true;
	default:
		return false;
	}
}

/* Shift flags depend on the count: unchanged for 0, OF only for 1, CF up to the width. */
static u64 shift_flags(const struct emul_insn *in, const u64 *regs)
{
	unsigned int bytes = emul_opnd_bytes(in, in->op->opnd[0]);
	unsigned int kind = OPND_KIND(in->op->opnd[in->op->opnd[2] ? 2 : 1]);
	unsigned int count = kind == OK_CL  ? regs[X86_RCX] & 0xff :
			     kind == OK_ONE ? 1 :
					      in->imm & 0xff;
	u16 id = in->op->id;
	u64 undefined = 0;

	count &= bytes == 8 ? 63 : 31;
	if (!count)
		return 0;
	if (count != 1)
		undefined |= X86_EFLAGS_OF;
	if (id >= OPC_SHL || id == OPC_SHLD || id == OPC_SHRD)
		undefined |= X86_EFLAGS_AF;
	if ((id == OPC_SHL || id == OPC_SHR) && count >= bytes * 8)
		undefined |= X86_EFLAGS_CF;
	return undefined;
}

/* Results that the manuals leave undefined as a whole. */
static bool result_undefined(const struct emul_insn *in, const u64 *regs)
{
	unsigned int kind = OPND_KIND(in->op->opnd[2]);
	unsigned int count = kind == OK_CL ? regs[X86_RCX] : in->imm;

	if (in->op->id == OPC_BSWAP)
		return in->opsize == 2;
	return (in->op->id == OPC_SHLD || in->op->id == OPC_SHRD) && in->opsize == 2 &&
	       (count & 31) > 16;
}

/* Encode a random harmless row; false to try again. */
static bool make_code(enum emul_mode mode, struct emul_insn *in)
{
	const struct emul_opcode *op = &emul_opcodes[unit_rand(&seed) % emul_nr_opcodes];
	static const u8 pfx[] = { 0x66, 0x66, 0x67, 0xf2, 0xf3, 0xf3, 0xf0 };
	unsigned int i, n = 0;
	u64 undefined;

	if (!harmless(op->id, &undefined))
		return false;
	for (i = 0; i < sizeof(code); i++)
		code[i] = unit_rand(&seed) >> 33;
	if ((unit_rand(&seed) & 3) == 0)
		code[n++] = pfx[unit_rand(&seed) % ARRAY_SIZE(pfx)];
	if ((op->flags & F_PFX) && !(op->flags & F_NP))
		code[n++] = (op->flags & F_66) ? 0x66 : (op->flags & F_F3) ? 0xf3 : 0xf2;
	if (mode == EMUL_MODE_64 && (unit_rand(&seed) & 1))
		code[n++] = 0x40 | (unit_rand(&seed) & 15);
	if (op->map != MAP_1)
		code[n++] = 0x0f;
	if (op->map == MAP_0F38)
		code[n++] = 0x38;
	code[n++] = op->code;
	if (op->flags & F_HAS_G)
		code[n] = (code[n] & 0xc7) | (op->flags & F_G_MASK) << 3;
	if (emul_decode(in, code, 15, mode) < 0 || in->op->id != op->id)
		return false;
	/* 16-bit addresses do not reach the buffer; moffs would need a 32-bit one. */
	if (in->adsize == 2 || OPND_KIND(in->op->opnd[0]) == OK_O ||
	    OPND_KIND(in->op->opnd[1]) == OK_O || in->map == MAP_0F3A)
		return false;
	if (in->prefixes & EPFX_SEG)
		return false;
	return in->op->id != OPC_ENTER || (in->imm < 512);
}

static u64 interesting(void)
{
	static const u64 v[] = { 0,
				 1,
				 2,
				 0x7f,
				 0x80,
				 0xff,
				 0x7fff,
				 0x8000,
				 0xffff,
				 0x7fffffff,
				 0x80000000,
				 0xffffffff,
				 0x7fffffffffffffff,
				 0x8000000000000000,
				 ~0ULL };
	u64 r = unit_rand(&seed);

	switch (r & 3) {
	case 0:
		return v[(r >> 8) % ARRAY_SIZE(v)];
	case 1:
		return (r >> 8) & 0xff;
	default:
		return unit_rand(&seed);
	}
}

static bool is_string(u16 id)
{
	return id >= OPC_MOVS && id <= OPC_SCAS;
}

/* Registers for the instruction: random, but memory operands lie in the buffer. */
static bool make_regs(const struct emul_insn *in, enum emul_mode mode, u64 regs[16])
{
	u64 mask = mode == EMUL_MODE_64 ? ~0ULL : 0xffffffff;
	u64 target = NATIVE_BUF + 2048 + (unit_rand(&seed) & 63);
	u64 disp = in->disp;
	unsigned int i;

	for (i = 0; i < 16; i++)
		regs[i] = interesting() & mask;
	regs[X86_RSP] = NATIVE_BUF + 4096 + (unit_rand(&seed) & 0x38);
	regs[X86_RBP] = NATIVE_BUF + 5120 + (unit_rand(&seed) & 0x38);
	if (is_string(in->op->id)) {
		regs[X86_RSI] = target;
		regs[X86_RDI] = target + (unit_rand(&seed) & 63);
		regs[X86_RCX] = unit_rand(&seed) & 31;
	}
	if (in->op->id == OPC_XLAT)
		regs[X86_RBX] = target;
	if (in->op->id == OPC_BT || in->op->id == OPC_BTS || in->op->id == OPC_BTR ||
	    in->op->id == OPC_BTC)
		regs[in->reg] = (unit_rand(&seed) % 2048 - 1024) & mask;
	if (!in->is_mem)
		return true;
	if (in->op->id == OPC_LEA && in->base != EMUL_RIP_REL)
		return true;
	if (in->base >= 16 || in->index == in->base)
		return false;
	/* A bit offset that is also a base or index would move the operand. */
	if ((in->op->id >= OPC_BT && in->op->id <= OPC_BTC) &&
	    (in->reg == in->base || in->reg == in->index))
		return false;
	if (in->op->id == OPC_CMPXCHG8B || in->op->id == OPC_XMOVA)
		target &= (unit_rand(&seed) & 7) ? ~15ULL : ~0ULL;
	if (in->index != EMUL_NO_REG) {
		regs[in->index] = unit_rand(&seed) & 15;
		disp += regs[in->index] << in->scale;
	}
	regs[in->base] = (target - disp) & mask;
	return !(in->op->id == OPC_POP && in->base == X86_RSP);
}

static unsigned int row_hits[1024]; /* completed without a fault, by row */
static u8 before[NATIVE_BUF_SIZE], after[NATIVE_BUF_SIZE];

static void describe(const struct emul_insn *in, const char *what, u64 ours, u64 real)
{
	unsigned int i;

	print_message("%s:", emul_opc_name(in->op->id));
	for (i = 0; i < in->length; i++)
		print_message(" %02x", code[i]);
	print_message(": %s: emulated %llx, processor %llx\n", what, (unsigned long long)ours,
		      (unsigned long long)real);
}

/* Emulate from the same start, to the end of a repeated instruction. */
static enum emul_result emulate(struct emul *e, enum emul_mode mode, const u64 regs[16], u64 flags)
{
	enum emul_result r;
	unsigned int i;

	memset(e, 0, sizeof(*e));
	emul_init(e, &ops, NULL);
	memcpy(e->regs, regs, sizeof(e->regs));
	e->rip = NATIVE_CODE;
	e->rflags = flags;
	e->cr0 = X86_CR0_PE;
	e->cr4 = X86_CR4_OSFXSR;
	e->cpl = 3;
	for (i = 0; i < 6; i++) {
		e->segs[i].limit = ~0u;
		e->segs[i].ar = i == X86_CS ? 0xc0fb : 0xc0f3;
	}
	if (mode == EMUL_MODE_64) {
		e->segs[X86_CS].ar = 0xa0fb;
		e->efer = 0x500;
	}
	memcpy(e->bytes, code, EMUL_INSN_MAX);
	e->nr_bytes = EMUL_INSN_MAX;
	do
		r = emul_step(e);
	while (r == EMUL_AGAIN);
	return r;
}

static bool compare(const struct emul_insn *in, const struct emul *e, enum emul_result r,
		    int vector, u64 undefined, enum emul_mode mode)
{
	unsigned int i, n = mode == EMUL_MODE_64 ? 16 : 8;

	if ((r == EMUL_FAULT ? e->fault.vector : -1) != vector) {
		describe(in, "fault", r == EMUL_FAULT ? e->fault.vector : r + 100, vector);
		return false;
	}
	if (vector >= 0)
		return true;
	for (i = 0; i < n; i++)
		if (e->regs[i] != native->regs[i]) {
			describe(in, "register", e->regs[i], native->regs[i]);
			return false;
		}
	if ((e->rflags ^ native->rflags) & (FLAGS_ARITH | X86_EFLAGS_DF) & ~undefined) {
		describe(in, "flags", e->rflags, native->rflags);
		return false;
	}
	if (memcmp(emul_xmm, native->xmm, n * 16)) {
		describe(in, "xmm", 0, 0);
		return false;
	}
	for (i = 0; i < NATIVE_BUF_SIZE; i++)
		if (buf[i] != after[i]) {
			describe(in, "memory", buf[i], after[i]);
			return false;
		}
	return true;
}

/* #GP of a misaligned SSE access arrives as 13, as the emulator says; #PF never happens. */
static bool one_round(enum emul_mode mode, unsigned long *count)
{
	u64 flags = (unit_rand(&seed) & (FLAGS_ARITH | X86_EFLAGS_DF)) | X86_EFLAGS_FIXED |
		    X86_EFLAGS_IF;
	static struct emul e;
	enum emul_result r;
	struct emul_insn in;
	u64 undefined, regs[16];
	unsigned int i;
	int vector;

	if (!make_code(mode, &in) || !make_regs(&in, mode, regs))
		return true;
	if (result_undefined(&in, regs))
		return true;
	harmless(in.op->id, &undefined);
	if ((in.op->id >= OPC_ROL && in.op->id <= OPC_SAR) || in.op->id == OPC_SHLD ||
	    in.op->id == OPC_SHRD)
		undefined = shift_flags(&in, regs);
	for (i = 0; i < NATIVE_BUF_SIZE; i += 8)
		*(u64 *)(buf + i) = interesting();
	for (i = 0; i < 32; i++)
		((u64 *)native->xmm)[i] = unit_rand(&seed);
	memcpy(before, buf, sizeof(before));
	memcpy(emul_xmm, native->xmm, sizeof(emul_xmm));
	memcpy(native->regs, regs, sizeof(regs));
	native->rflags = flags;
	vector = native_run(code, in.length, mode == EMUL_MODE_64);
	memcpy(after, buf, sizeof(after));
	memcpy(buf, before, sizeof(before));
	r = emulate(&e, mode, regs, flags);
	++*count;
	/* BSF and BSR of zero leave the destination as the processor likes. */
	if ((in.op->id == OPC_BSF || in.op->id == OPC_BSR) && (e.rflags & X86_EFLAGS_ZF))
		return true;
	row_hits[in.op - emul_opcodes] += vector < 0;
	return compare(&in, &e, r, vector, undefined, mode);
}

/* Was every harmless row that this mode has compared, and not by chance once? */
static void check_coverage(enum emul_mode mode)
{
	unsigned int i, rows = 0, missing = 0;
	u64 undefined;

	for (i = 0; i < emul_nr_opcodes; i++) {
		const struct emul_opcode *op = &emul_opcodes[i];

		if (!harmless(op->id, &undefined) || OPND_KIND(op->opnd[0]) == OK_O ||
		    OPND_KIND(op->opnd[1]) == OK_O ||
		    (op->flags & (mode == EMUL_MODE_64 ? F_I64 : F_O64)))
			continue;
		rows++;
		if (row_hits[i] >= 5)
			continue;
		print_message("row %s %02x: only %u\n", emul_opc_name(op->id), op->code,
			      row_hits[i]);
		missing++;
	}
	print_message("%u rows compared\n", rows);
	assert_int_equal(missing, 0);
}

static void run_mode(enum emul_mode mode)
{
	const char *env = getenv("UNIT_NATIVE_ROUNDS");
	unsigned long i, rounds = env ? strtoul(env, NULL, 0) : ROUNDS;
	unsigned long count = 0, bad = 0;

	seed = 0x656d756c00ULL + mode;
	memset(row_hits, 0, sizeof(row_hits));
	for (i = 0; count < rounds && i < rounds * 100; i++)
		if (!one_round(mode, &count) && ++bad > 40)
			break;
	print_message("%lu instructions compared\n", count);
	assert_int_equal(bad, 0);
	assert_true(count >= rounds);
	if (!env)
		check_coverage(mode);
}

static void test_native_64(void **state)
{
	native_catch();
	run_mode(EMUL_MODE_64);
}

static void test_native_32(void **state)
{
	static const u8 nop = 0x90;

	native_catch();
	memset(native, 0, sizeof(*native));
	native->rflags = X86_EFLAGS_FIXED;
	if (native_run(&nop, 1, false) != -1) {
		print_message("this host runs no 32-bit code (%d)\n", native_vector);
		skip();
	}
	run_mode(EMUL_MODE_32);
}

static int setup(void **state)
{
	return native_init() ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native_64),
		cmocka_unit_test(test_native_32),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
