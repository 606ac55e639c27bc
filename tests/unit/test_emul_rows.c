/* link: emul/decode.c emul/optable.c */
// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every row of the opcode table: an encoding that reaches it, its truncations, and
 * encodings that must not reach it. Then what the table does not say: prefixes, lengths.
 */
#include "unit.h"

#include <linux/errno.h>

#include "emul/decode.h"
#include "emul/optable.h"
#include "hw/x86_state.h"

/* An encoding made for a row, and where its parts are. */
struct made {
	u8 bytes[24];
	unsigned int opcode_at;
	unsigned int modrm_at;
};

static u8 row_modrm(const struct emul_opcode *op)
{
	u8 modrm = 0x03; /* [rbx], [bp + di] */

	if (op->flags & F_HAS_G)
		modrm |= (op->flags & F_G_MASK) << 3;
	if (op->flags & F_HAS_RM)
		modrm = (modrm & 0xf8) | ((op->flags >> F_RM_SHIFT) & 7);
	if (op->flags & F_REG)
		modrm |= 0xc0;
	return modrm;
}

static struct made make(const struct emul_opcode *op)
{
	struct made m = {};
	unsigned int n = 0;

	if ((op->flags & F_PFX) && !(op->flags & F_NP))
		m.bytes[n++] = (op->flags & F_66) ? 0x66 : (op->flags & F_F3) ? 0xf3 : 0xf2;
	m.opcode_at = n;
	if (op->map != MAP_1)
		m.bytes[n++] = 0x0f;
	if (op->map == MAP_0F38)
		m.bytes[n++] = 0x38;
	if (op->map == MAP_0F3A)
		m.bytes[n++] = 0x3a;
	m.bytes[n++] = op->code;
	m.modrm_at = n;
	m.bytes[n] = row_modrm(op);
	return m;
}

static bool mode_allowed(const struct emul_opcode *op, enum emul_mode mode)
{
	return mode == EMUL_MODE_64 ? !(op->flags & F_I64) : !(op->flags & F_O64);
}

static void check_row(const struct emul_opcode *op, enum emul_mode mode)
{
	struct made m = make(op), shorter;
	struct emul_insn in;
	int len, n;

	len = emul_decode(&in, m.bytes, 15, mode);
	if (!mode_allowed(op, mode)) {
		assert_true(len == -EINVAL || in.op != op);
		return;
	}
	if (len <= 0 || in.op != op)
		fail_msg("map %d opcode %02x %s mode %d: %d", op->map, op->code,
			 emul_opc_name(op->id), mode, len);
	/* Nothing shorter is enough, and no byte beyond is looked at. */
	for (n = 0; n < len; n++) {
		u8 *copy = malloc(n ? n : 1);

		memcpy(copy, m.bytes, n);
		assert_int_equal(emul_decode(&in, copy, n, mode), -ENODATA);
		free(copy);
	}
	/* LOCK only where the row allows it. */
	shorter.bytes[0] = 0xf0;
	memcpy(shorter.bytes + 1, m.bytes, 20);
	n = emul_decode(&in, shorter.bytes, 15, mode);
	assert_int_equal(n, (op->flags & F_LOCK) ? len + 1 : -EINVAL);
}

static void test_rows(void **state)
{
	unsigned int i, mode;

	for (i = 0; i < emul_nr_opcodes; i++)
		for (mode = EMUL_MODE_16; mode <= EMUL_MODE_64; mode++)
			check_row(&emul_opcodes[i], mode);
}

/* Does the encoding, spoilt, still reach the row? */
static bool reaches(const struct made *m, const struct emul_opcode *op)
{
	enum emul_mode mode = (op->flags & F_O64) ? EMUL_MODE_64 : EMUL_MODE_32;
	struct emul_insn in;

	return emul_decode(&in, m->bytes, 15, mode) > 0 && in.op == op;
}

static void test_rows_failing(void **state)
{
	unsigned int i, spoilt = 0;

	for (i = 0; i < emul_nr_opcodes; i++) {
		const struct emul_opcode *op = &emul_opcodes[i];
		struct made m = make(op);

		assert_true(reaches(&m, op));
		if (op->flags & F_HAS_G) {
			m.bytes[m.modrm_at] ^= 0x08;
			assert_false(reaches(&m, op));
			spoilt++;
		}
		m = make(op);
		if (op->flags & F_HAS_RM) {
			m.bytes[m.modrm_at] ^= 1;
			assert_false(reaches(&m, op));
		}
		m = make(op);
		if (op->flags & (F_MEM | F_REG)) {
			m.bytes[m.modrm_at] ^= 0xc0;
			assert_false(reaches(&m, op));
			spoilt++;
		}
		m = make(op);
		if ((op->flags & F_PFX) && !(op->flags & F_F3)) {
			memmove(m.bytes + 1, m.bytes, 20);
			m.bytes[0] = 0xf3;
			if (m.bytes[1] == 0xf2)
				m.bytes[1] = 0x3e;
			assert_false(reaches(&m, op));
			spoilt++;
		}
	}
	assert_true(spoilt > 200);
}

struct example {
	enum emul_mode mode;
	u8 bytes[16];
	u8 n;
	int want; /* length or -errno */
	enum emul_opc id;
};

#define B(...) { __VA_ARGS__ }, sizeof((u8[]){ __VA_ARGS__ })

static const struct example examples[] = {
	/* VMX and SVM instructions */
	{ 2, B(0xf3, 0x0f, 0xc7, 0x30), 4, OPC_VMXON },
	{ 2, B(0x0f, 0x01, 0xc4), 3, OPC_VMXOFF },
	{ 2, B(0x0f, 0x01, 0xc1), 3, OPC_VMCALL },
	{ 2, B(0x0f, 0x01, 0xd9), 3, OPC_VMMCALL },
	{ 2, B(0x0f, 0x01, 0xc2), 3, OPC_VMLAUNCH },
	{ 2, B(0x0f, 0x01, 0xc3), 3, OPC_VMRESUME },
	{ 2, B(0x0f, 0xc7, 0x74, 0x24, 0x08), 5, OPC_VMPTRLD },
	{ 2, B(0x0f, 0xc7, 0x7c, 0x24, 0x08), 5, OPC_VMPTRST },
	{ 2, B(0x66, 0x0f, 0xc7, 0x30), 4, OPC_VMCLEAR },
	{ 2, B(0x0f, 0x78, 0xd0), 3, OPC_VMREAD },
	{ 2, B(0x44, 0x0f, 0x79, 0xc0), 4, OPC_VMWRITE },
	{ 2, B(0x66, 0x0f, 0x38, 0x80, 0x04, 0x24), 6, OPC_INVEPT },
	{ 2, B(0x66, 0x0f, 0x38, 0x81, 0x04, 0x24), 6, OPC_INVVPID },
	{ 2, B(0x0f, 0x01, 0xd4), 3, OPC_VMFUNC },
	{ 2, B(0x66, 0x0f, 0x38, 0x80, 0xc4), -EINVAL, 0 },
	{ 2, B(0x0f, 0x38, 0x80, 0x04, 0x24), -EINVAL, 0 },
	{ 2, B(0xf3, 0x0f, 0x01, 0xc4), -EINVAL, 0 },
	{ 2, B(0x66, 0x0f, 0xc7, 0x38), -EINVAL, 0 },
	/* KVM-SURFACE: forms seen */
	{ 0, B(0xf3, 0x6d), 2, OPC_INS },
	{ 0, B(0xf3, 0x66, 0x6d), 3, OPC_INS },
	{ 1, B(0xa1, 1, 2, 3, 4), 5, OPC_MOV },
	{ 2, B(0x48, 0xa1, 1, 2, 3, 4, 5, 6, 7, 8), 10, OPC_MOV },
	{ 2, B(0x67, 0xa1, 1, 2, 3, 4), 6, OPC_MOV },
	{ 0, B(0xa3, 1, 2), 3, OPC_MOV },
	{ 2, B(0xc7, 0x05, 1, 2, 3, 4, 5, 6, 7, 8), 10, OPC_MOV },
	{ 2, B(0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8), 10, OPC_MOV },
	/* mode */
	{ 2, B(0xea, 1, 2, 3, 4, 5, 6), -EINVAL, 0 },
	{ 1, B(0xea, 1, 2, 3, 4, 5, 6), 7, OPC_JMPF },
	{ 0, B(0xea, 1, 2, 3, 4), 5, OPC_JMPF },
	{ 1, B(0x0f, 0x01, 0xf8), -EINVAL, 0 },
	{ 2, B(0x06), -EINVAL, 0 },
	{ 2, B(0x40, 0x90), 2, OPC_XCHG },
	{ 1, B(0x40), 1, OPC_INC },
	/* no such register */
	{ 2, B(0x0f, 0x22, 0xc8), -EINVAL, 0 },
	{ 2, B(0x44, 0x0f, 0x22, 0xc0), 4, OPC_MOV_TO_CR },
	{ 2, B(0x44, 0x0f, 0x23, 0xc0), -EINVAL, 0 },
	{ 2, B(0x8e, 0xc8), -EINVAL, 0 },
	{ 2, B(0x8c, 0xf8), -EINVAL, 0 },
	/* VEX, EVEX: length only; not after 66 or REX */
	{ 2, B(0xc5, 0xf8, 0x77), 3, OPC_VEX },
	{ 2, B(0xc5, 0xfa, 0x6f, 0x04, 0x24), 5, OPC_VEX },
	{ 2, B(0xc4, 0xe3, 0x79, 0x0f, 0xc1, 0x04), 6, OPC_VEX },
	{ 2, B(0x62, 0xf1, 0x7c, 0x48, 0x10, 0x44, 0x24, 1), 8, OPC_VEX },
	{ 2, B(0x66, 0xc5, 0xf8, 0x77), -EINVAL, 0 },
	{ 2, B(0x48, 0xc5, 0xf8, 0x77), -EINVAL, 0 },
	{ 2, B(0xc4, 0xe0, 0x79, 0x0f, 0xc1), -EINVAL, 0 },
	{ 1, B(0xc5, 0x00), 2, OPC_LFP_DS },
	{ 1, B(0x62, 0x00), 2, OPC_BOUND },
	{ 1, B(0xc5), -ENODATA, 0 },
	{ 2, B(0x8f, 0xe8, 0x78, 0xc0), -EINVAL, 0 },
	/* REX counts only right before the opcode */
	{ 2, B(0x48, 0x66, 0x89, 0x03), 4, OPC_MOV },
	/* 15 bytes at most */
	{ 2,
	  B(0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
	    0x90),
	  15, OPC_XCHG },
	{ 2,
	  B(0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
	    0x66, 0x90),
	  -E2BIG, 0 },
	{ 2, B(0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0xc7, 0x05, 0, 0, 0, 0, 0),
	  -E2BIG, 0 },
	{ 1,
	  B(0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e,
	    0xc5),
	  -E2BIG, 0 },
};

static void test_examples(void **state)
{
	struct emul_insn in;
	unsigned int i;
	int len;

	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		const struct example *x = &examples[i];

		len = emul_decode(&in, x->bytes, x->n, x->mode);
		if (len != x->want || (len > 0 && in.op->id != x->id))
			fail_msg("example %u: %d, %s", i, len,
				 len > 0 ? emul_opc_name(in.op->id) : "-");
	}
}

static void test_sizes(void **state)
{
	struct emul_insn in;

	/* push: 64 bits in 64-bit mode, 16 with 66 */
	emul_decode(&in, (u8[]){ 0x50 }, 1, EMUL_MODE_64);
	assert_int_equal(in.opsize, 8);
	emul_decode(&in, (u8[]){ 0x66, 0x50 }, 2, EMUL_MODE_64);
	assert_int_equal(in.opsize, 2);
	/* near branches: 66 is ignored */
	emul_decode(&in, (u8[]){ 0x66, 0xe9, 1, 0, 0, 0 }, 6, EMUL_MODE_64);
	assert_int_equal(in.opsize, 8);
	assert_int_equal(in.length, 6);
	/* default segment of rBP and rSP, and its override */
	emul_decode(&in, (u8[]){ 0x8b, 0x45, 0 }, 3, EMUL_MODE_64);
	assert_int_equal(in.seg, X86_SS);
	emul_decode(&in, (u8[]){ 0x41, 0x8b, 0x45, 0 }, 4, EMUL_MODE_64);
	assert_int_equal(in.seg, X86_DS);
	emul_decode(&in, (u8[]){ 0x3e, 0x8b, 0x45, 0 }, 4, EMUL_MODE_32);
	assert_int_equal(in.seg, X86_DS);
	emul_decode(&in, (u8[]){ 0x65, 0x8b, 0x45, 0 }, 4, EMUL_MODE_64);
	assert_int_equal(in.seg, X86_GS);
	/* RIP-relative is absolute outside 64-bit mode */
	emul_decode(&in, (u8[]){ 0x8b, 0x05, 1, 2, 3, 4 }, 6, EMUL_MODE_64);
	assert_int_equal(in.base, EMUL_RIP_REL);
	emul_decode(&in, (u8[]){ 0x8b, 0x05, 1, 2, 3, 4 }, 6, EMUL_MODE_32);
	assert_int_equal(in.base, EMUL_NO_REG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_rows_failing),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
