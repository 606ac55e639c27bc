/* link: emul/decode.c emul/optable.c */
/* libs: -lcapstone */
/* cflags: -O2 */
// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decoder against Capstone, an independent disassembler, on random and on mutated
 * valid instructions with a fixed seed: existence, length, memory operand, immediate
 * and what the instruction is. Every difference must be explained by a named exclusion.
 *
 * UNIT_DECODE_ROUNDS overrides the number of instructions per mode.
 */
#include "unit.h"

#define x86_reg capstone_x86_reg /* both name an enum so */
#include <capstone/capstone.h>
#undef x86_reg
#include <linux/errno.h>

#include "emul/decode.h"
#include "hw/x86_state.h"

#include "decode_exclusions.h"

#define ROUNDS 2000000

static csh handles[3];
static cs_insn *cs;

static int open_capstone(void **state)
{
	static const cs_mode modes[3] = { CS_MODE_16, CS_MODE_32, CS_MODE_64 };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(cs_open(CS_ARCH_X86, modes[i], &handles[i]), 0);
		cs_option(handles[i], CS_OPT_DETAIL, CS_OPT_ON);
	}
	cs = cs_malloc(handles[0]);
	return 0;
}

static int close_capstone(void **state)
{
	cs_free(cs, 1);
	cs_close(&handles[0]);
	cs_close(&handles[1]);
	cs_close(&handles[2]);
	return 0;
}

/* Append a few prefixes to @p, most often none. */
static unsigned int make_prefixes(u64 *seed, u8 *p, enum emul_mode mode)
{
	static const u8 pfx[] = { 0x66, 0x66, 0x67, 0xf2, 0xf3, 0xf3, 0xf0,
				  0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65 };
	unsigned int n = 0;

	while ((unit_rand(seed) & 7) < 2 && n < 5)
		p[n++] = pfx[unit_rand(seed) % ARRAY_SIZE(pfx)];
	if (mode == EMUL_MODE_64 && (unit_rand(seed) & 1))
		p[n++] = 0x40 | (unit_rand(seed) & 15);
	return n;
}

/* An encoding of a random table row: prefixes, opcode, a ModRM that suits it. */
static void make_valid(u64 *seed, u8 *p, enum emul_mode mode)
{
	const struct emul_opcode *op = &emul_opcodes[unit_rand(seed) % emul_nr_opcodes];
	static const u8 pfx[] = { 0, 0x66, 0xf3, 0xf2 };
	unsigned int n = 0, i;
	u8 modrm;

	for (i = 1; i < 4; i++)
		if ((op->flags & (F_NP << i)) && (unit_rand(seed) & 1))
			p[n++] = pfx[i];
	n += make_prefixes(seed, p + n, mode);
	if (op->map != MAP_1)
		p[n++] = 0x0f;
	if (op->map == MAP_0F38)
		p[n++] = 0x38;
	if (op->map == MAP_0F3A)
		p[n++] = 0x3a;
	p[n++] = op->code;
	modrm = unit_rand(seed);
	if (op->flags & F_HAS_G)
		modrm = (modrm & 0xc7) | (op->flags & F_G_MASK) << 3;
	if (op->flags & F_HAS_RM)
		modrm = (modrm & 0xf8) | ((op->flags >> F_RM_SHIFT) & 7);
	if (op->flags & F_REG)
		modrm |= 0xc0;
	p[n] = modrm;
}

static void make_insn(u64 *seed, u8 *p, enum emul_mode mode)
{
	u64 kind = unit_rand(seed) & 3;
	unsigned int i, n;

	for (i = 0; i < 16; i++)
		p[i] = unit_rand(seed) >> 40;
	if (kind == 0)
		return;
	if (kind == 1) {
		n = make_prefixes(seed, p, mode);
		if (unit_rand(seed) & 1)
			p[n] = 0x0f;
		return;
	}
	make_valid(seed, p, mode);
	if (kind == 3)
		p[unit_rand(seed) % 6] ^= 1 << (unit_rand(seed) & 7);
}

static u8 cs_gpr(unsigned int reg)
{
	static const u16 names[][3] = {
		{ X86_REG_AX, X86_REG_EAX, X86_REG_RAX },
		{ X86_REG_CX, X86_REG_ECX, X86_REG_RCX },
		{ X86_REG_DX, X86_REG_EDX, X86_REG_RDX },
		{ X86_REG_BX, X86_REG_EBX, X86_REG_RBX },
		{ X86_REG_SP, X86_REG_ESP, X86_REG_RSP },
		{ X86_REG_BP, X86_REG_EBP, X86_REG_RBP },
		{ X86_REG_SI, X86_REG_ESI, X86_REG_RSI },
		{ X86_REG_DI, X86_REG_EDI, X86_REG_RDI },
		{ X86_REG_R8W, X86_REG_R8D, X86_REG_R8 },
		{ X86_REG_R9W, X86_REG_R9D, X86_REG_R9 },
		{ X86_REG_R10W, X86_REG_R10D, X86_REG_R10 },
		{ X86_REG_R11W, X86_REG_R11D, X86_REG_R11 },
		{ X86_REG_R12W, X86_REG_R12D, X86_REG_R12 },
		{ X86_REG_R13W, X86_REG_R13D, X86_REG_R13 },
		{ X86_REG_R14W, X86_REG_R14D, X86_REG_R14 },
		{ X86_REG_R15W, X86_REG_R15D, X86_REG_R15 },
	};
	unsigned int i;

	for (i = 0; i < 16; i++)
		if (reg == names[i][0] || reg == names[i][1] || reg == names[i][2])
			return i;
	if (reg == X86_REG_RIP || reg == X86_REG_EIP || reg == X86_REG_IP)
		return EMUL_RIP_REL;
	return EMUL_NO_REG;
}

/* Does the memory operand have the same parts? Returns what differs, or NULL. */
static const char *compare_mem(const struct emul_insn *in, const cs_insn *c)
{
	const cs_x86 *x = &c->detail->x86;
	u64 mask = in->adsize == 8 ? ~0ULL : (1ULL << in->adsize * 8) - 1;
	const cs_x86_op *m = NULL;
	unsigned int i;

	for (i = 0; i < x->op_count; i++)
		if (x->operands[i].type == X86_OP_MEM)
			m = &x->operands[i];
	if (!in->is_mem || !in->has_modrm || !m)
		return NULL;
	if (cs_gpr(m->mem.base) != in->base)
		return "base";
	if (cs_gpr(m->mem.index) != in->index)
		return "index";
	if (in->index != EMUL_NO_REG && m->mem.scale != 1 << in->scale)
		return "scale";
	if (((u64)m->mem.disp & mask) != (in->disp & mask))
		return "displacement";
	return NULL;
}

static const char *compare_imm(const struct emul_insn *in, const cs_insn *c)
{
	const cs_x86 *x = &c->detail->x86;
	unsigned int i, bytes = 0;
	u64 mask;

	for (i = 0; i < 3; i++)
		if (OPND_KIND(in->op->opnd[i]) == OK_I || OPND_KIND(in->op->opnd[i]) == OK_SI)
			bytes = emul_opnd_bytes(in, in->op->opnd[i]);
	if (!bytes || in->op->id == OPC_ENTER || x->encoding.imm_offset == 0)
		return NULL;
	mask = bytes == 8 ? ~0ULL : (1ULL << bytes * 8) - 1;
	for (i = 0; i < x->op_count; i++)
		if (x->operands[i].type == X86_OP_IMM &&
		    ((u64)x->operands[i].imm & mask) != (in->imm & mask))
			return "immediate";
	return NULL;
}

/* The ids whose mnemonic is their name in lower case, or starts with it. */
static const char *compare_name(const struct emul_insn *in, const cs_insn *c)
{
	const char *name = mnemonic_of(in->op->id);
	const char *m = c->mnemonic, *space;

	if (!name)
		return NULL;
	/* Capstone prints "lock " and "rep " in front. */
	space = strrchr(m, ' ');
	if (space)
		m = space + 1;
	return strncmp(m, name, strlen(name)) ? "mnemonic" : NULL;
}

struct tally {
	unsigned long both, neither, excluded, unexplained;
	unsigned long by_reason[EXCL_NR];
};

static void report(const u8 *p, enum emul_mode mode, int len, const char *what,
		   const struct emul_insn *in, bool have_cs)
{
	unsigned int i;

	print_message("mode %d:", mode);
	for (i = 0; i < 15; i++)
		print_message(" %02x", p[i]);
	print_message(": %s: ours %d (%s)", what, len, len > 0 ? emul_opc_name(in->op->id) : "-");
	if (have_cs)
		print_message(", capstone %d %s %s", cs->size, cs->mnemonic, cs->op_str);
	print_message("\n");
}

static void check_one(const u8 *p, enum emul_mode mode, struct tally *t)
{
	const char *what = NULL;
	struct emul_insn in;
	const u8 *code = p;
	size_t size = 15;
	uint64_t addr = 0;
	int len = emul_decode(&in, p, 15, mode);
	bool have = cs_disasm_iter(handles[mode], &code, &size, &addr, cs);
	enum exclusion why;

	if (len <= 0 && !have) {
		t->neither++;
		return;
	}
	if (len <= 0)
		what = "only capstone";
	else if (!have)
		what = "only ours";
	else if (len != cs->size)
		what = "length";
	else if (in.op->id != OPC_VEX) {
		what = compare_mem(&in, cs);
		if (!what)
			what = compare_imm(&in, cs);
		if (!what)
			what = compare_name(&in, cs);
	}
	if (!what) {
		t->both++;
		return;
	}
	why = explain(p, mode, len > 0 ? &in : NULL, have ? cs : NULL);
	if (why != EXCL_NONE) {
		t->by_reason[why]++;
		t->excluded++;
		return;
	}
	if (t->unexplained++ < 40)
		report(p, mode, len, what, &in, have);
}

static void check_mode(enum emul_mode mode)
{
	const char *env = getenv("UNIT_DECODE_ROUNDS");
	unsigned long i, rounds = env ? strtoul(env, NULL, 0) : ROUNDS;
	u64 seed = 0x7475727431657300ULL + mode;
	struct tally t = {};
	u8 p[24];

	for (i = 0; i < rounds; i++) {
		make_insn(&seed, p, mode);
		check_one(p, mode, &t);
	}
	print_message("both agree %lu, both refuse %lu, excluded %lu\n", t.both, t.neither,
		      t.excluded);
	for (i = 1; i < EXCL_NR; i++)
		if (t.by_reason[i])
			print_message("  %8lu %s\n", t.by_reason[i], exclusion_text[i]);
	assert_int_equal(t.unexplained, 0);
}

static void test_capstone_16(void **state)
{
	check_mode(EMUL_MODE_16);
}

static void test_capstone_32(void **state)
{
	check_mode(EMUL_MODE_32);
}

static void test_capstone_64(void **state)
{
	check_mode(EMUL_MODE_64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capstone_16),
		cmocka_unit_test(test_capstone_32),
		cmocka_unit_test(test_capstone_64),
	};

	return cmocka_run_group_tests(tests, open_capstone, close_capstone);
}
