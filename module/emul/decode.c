// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decoder's engine: prefixes, choice of the table row, ModRM, immediates. It
 * has no knowledge of single instructions; that is in opcodes_*.def.
 *
 * SDM "Instruction Format"; APM volume 3 "Instruction Encoding".
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "emul/decode.h"
#include "emul/optable.h"
#include "hw/x86_state.h"

/* The bytes, and how far decoding has come. */
struct cursor {
	const u8 *p;
	unsigned int n;
	unsigned int pos;
};

/* Little-endian value of @bytes bytes. Asking past byte 15 is a longer instruction. */
static int take(struct cursor *c, unsigned int bytes, u64 *val)
{
	unsigned int i;

	if (c->pos + bytes > EMUL_INSN_MAX)
		return -E2BIG;
	if (c->pos + bytes > c->n)
		return -ENODATA;
	*val = 0;
	for (i = 0; i < bytes; i++)
		*val |= (u64)c->p[c->pos + i] << (8 * i);
	c->pos += bytes;
	return 0;
}

static int take_byte(struct cursor *c, u8 *val)
{
	u64 v;
	int err = take(c, 1, &v);

	if (!err)
		*val = v;
	return err;
}

static int take_signed(struct cursor *c, unsigned int bytes, u64 *val)
{
	int err = take(c, bytes, val);

	if (!err && bytes < 8)
		*val = sign_extend64(*val, bytes * 8 - 1);
	return err;
}

/* One prefix byte: its EPFX bit, or 0 for a byte that is no prefix. */
static u8 prefix_bit(struct emul_insn *insn, u8 b)
{
	switch (b) {
	case 0xf0:
		return EPFX_LOCK;
	case 0xf2:
		return EPFX_REPNE;
	case 0xf3:
		return EPFX_REP;
	case 0x66:
		return EPFX_66;
	case 0x67:
		return EPFX_67;
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		/* In 64-bit mode these segments have no override. */
		if (insn->mode == EMUL_MODE_64)
			return EPFX_SEG;
		insn->seg = (b >> 3) & 3;
		return EPFX_SEG;
	case 0x64:
	case 0x65:
		insn->seg = X86_FS + (b & 1);
		return EPFX_SEG;
	default:
		return 0;
	}
}

/* Prefixes up to the first opcode byte, which is left in insn->opcode. */
static int decode_prefixes(struct emul_insn *insn, struct cursor *c)
{
	u8 b, bit;
	int err;

	for (;;) {
		err = take_byte(c, &b);
		if (err)
			return err;
		if (insn->mode == EMUL_MODE_64 && (b & 0xf0) == 0x40) {
			/* Counts only right before the opcode. */
			insn->rex = b;
			continue;
		}
		bit = prefix_bit(insn, b);
		if (!bit)
			break;
		insn->rex = 0;
		/* Of the two repeat prefixes the last one counts. */
		if (bit & (EPFX_REP | EPFX_REPNE))
			insn->prefixes &= ~(EPFX_REP | EPFX_REPNE);
		insn->prefixes |= bit;
	}
	if (insn->rex)
		insn->prefixes |= EPFX_REX;
	insn->opcode = b;
	return 0;
}

static void decode_sizes(struct emul_insn *insn)
{
	bool p66 = insn->prefixes & EPFX_66;
	bool p67 = insn->prefixes & EPFX_67;

	switch (insn->mode) {
	case EMUL_MODE_16:
		insn->opsize = p66 ? 4 : 2;
		insn->adsize = p67 ? 4 : 2;
		break;
	case EMUL_MODE_32:
		insn->opsize = p66 ? 2 : 4;
		insn->adsize = p67 ? 2 : 4;
		break;
	default:
		insn->opsize = (insn->rex & 8) ? 8 : p66 ? 2 : 4;
		insn->adsize = p67 ? 4 : 8;
		break;
	}
}

/* From the first opcode byte to map and opcode. */
static int decode_map(struct emul_insn *insn, struct cursor *c)
{
	int err;

	insn->map = MAP_1;
	if (insn->opcode != 0x0f)
		return 0;
	err = take_byte(c, &insn->opcode);
	if (err)
		return err;
	insn->map = MAP_0F;
	if (insn->opcode != 0x38 && insn->opcode != 0x3a)
		return 0;
	insn->map = insn->opcode == 0x38 ? MAP_0F38 : MAP_0F3A;
	return take_byte(c, &insn->opcode);
}

static bool kind_has_modrm(unsigned int kind)
{
	return kind >= OK_E && kind <= OK_Q;
}

static bool row_has_modrm(const struct emul_opcode *op)
{
	return (op->flags & (F_MODRM | F_HAS_G | F_MEM | F_REG)) ||
	       kind_has_modrm(OPND_KIND(op->opnd[0])) || kind_has_modrm(OPND_KIND(op->opnd[1]));
}

/* The mandatory-prefix class of the instruction: F2 and F3 win over 66. */
static u32 pfx_class(const struct emul_insn *insn)
{
	if (insn->prefixes & EPFX_REP)
		return F_F3;
	if (insn->prefixes & EPFX_REPNE)
		return F_F2;
	return (insn->prefixes & EPFX_66) ? F_66 : F_NP;
}

static bool row_matches(const struct emul_insn *insn, const struct emul_opcode *op)
{
	u32 f = op->flags;

	if ((f & F_I64) && insn->mode == EMUL_MODE_64)
		return false;
	if ((f & F_O64) && insn->mode != EMUL_MODE_64)
		return false;
	if ((f & F_PFX) && !(f & pfx_class(insn)))
		return false;
	if (!insn->has_modrm)
		return true;
	if ((f & F_HAS_G) && ((insn->modrm >> 3) & 7) != (f & F_G_MASK))
		return false;
	if ((f & F_HAS_RM) && (insn->modrm & 7) != ((f >> F_RM_SHIFT) & 7))
		return false;
	if ((f & F_MEM) && insn->mod == 3)
		return false;
	return !(f & F_REG) || insn->mod == 3;
}

/* Choose the row; reads the ModRM byte where the opcode has one. */
static int decode_row(struct emul_insn *insn, struct cursor *c)
{
	const struct emul_opcode *op = emul_first_row(insn->map, insn->opcode);
	int err;

	if (!op)
		return -EINVAL;
	if (row_has_modrm(op)) {
		err = take_byte(c, &insn->modrm);
		if (err)
			return err;
		insn->has_modrm = true;
		insn->mod = insn->modrm >> 6;
		insn->reg = ((insn->modrm >> 3) & 7) | ((insn->rex & 4) << 1);
		insn->rm = (insn->modrm & 7) | ((insn->rex & 1) << 3);
	}
	while (!row_matches(insn, op)) {
		op++;
		if (op->flags & F_FIRST)
			return -EINVAL;
	}
	insn->op = op;
	if (insn->mode == EMUL_MODE_64) {
		if (op->flags & F_F64)
			insn->opsize = 8;
		else if ((op->flags & F_D64) && insn->opsize == 4)
			insn->opsize = 8;
	}
	return 0;
}

/* SDM "16-Bit Addressing Forms with the ModR/M Byte". */
static int decode_mem16(struct emul_insn *insn, struct cursor *c)
{
	static const u8 base[8] = { X86_RBX, X86_RBX, X86_RBP, X86_RBP,
				    X86_RSI, X86_RDI, X86_RBP, X86_RBX };
	static const u8 index[4] = { X86_RSI, X86_RDI, X86_RSI, X86_RDI };
	u8 rm = insn->modrm & 7;

	if (insn->mod == 0 && rm == 6)
		return take(c, 2, &insn->disp);
	insn->base = base[rm];
	if (rm < 4)
		insn->index = index[rm];
	if (insn->mod == 0)
		return 0;
	return take_signed(c, insn->mod == 1 ? 1 : 2, &insn->disp);
}

static int decode_sib(struct emul_insn *insn, struct cursor *c)
{
	u8 sib;
	int err = take_byte(c, &sib);

	if (err)
		return err;
	insn->scale = sib >> 6;
	insn->index = ((sib >> 3) & 7) | ((insn->rex & 2) << 2);
	if (insn->index == 4)
		insn->index = EMUL_NO_REG;
	insn->base = (sib & 7) | ((insn->rex & 1) << 3);
	if ((sib & 7) == 5 && insn->mod == 0) {
		insn->base = EMUL_NO_REG;
		return take_signed(c, 4, &insn->disp);
	}
	return 0;
}

/* SDM "32-Bit Addressing Forms with the ModR/M Byte", "RIP-Relative Addressing". */
static int decode_mem32(struct emul_insn *insn, struct cursor *c)
{
	u8 rm = insn->modrm & 7;
	int err;

	if (rm == 4) {
		err = decode_sib(insn, c);
		if (err)
			return err;
	} else if (rm == 5 && insn->mod == 0) {
		if (insn->mode == EMUL_MODE_64)
			insn->base = EMUL_RIP_REL;
		return take_signed(c, 4, &insn->disp);
	} else {
		insn->base = insn->rm;
	}
	if (insn->mod == 0)
		return 0;
	return take_signed(c, insn->mod == 1 ? 1 : 4, &insn->disp);
}

static int decode_mem(struct emul_insn *insn, struct cursor *c)
{
	int err = 0;

	insn->base = EMUL_NO_REG;
	insn->index = EMUL_NO_REG;
	if (insn->has_modrm && insn->mod != 3 && OPND_KIND(insn->op->opnd[0]) != OK_R &&
	    OPND_KIND(insn->op->opnd[1]) != OK_R) {
		insn->is_mem = true;
		err = insn->adsize == 2 ? decode_mem16(insn, c) : decode_mem32(insn, c);
	}
	if (insn->seg == EMUL_NO_REG)
		insn->seg = (insn->base == X86_RBP || insn->base == X86_RSP) ? X86_SS : X86_DS;
	return err;
}

static unsigned int size_bytes(const struct emul_insn *insn, unsigned int size)
{
	switch (size) {
	case OS_B:
		return 1;
	case OS_W:
		return 2;
	case OS_D:
		return 4;
	case OS_Q:
		return 8;
	case OS_X:
		return 16;
	case OS_V:
		return insn->opsize;
	case OS_Z:
		return min_t(unsigned int, insn->opsize, 4);
	case OS_Y:
		return insn->opsize == 8 ? 8 : 4;
	case OS_N:
		return insn->mode == EMUL_MODE_64 ? 8 : 4;
	case OS_P:
		return insn->opsize + 2;
	default:
		return 0;
	}
}

unsigned int emul_opnd_bytes(const struct emul_insn *insn, u16 opnd)
{
	return size_bytes(insn, OPND_SIZE(opnd));
}

/* The immediate of one operand. A second plain immediate goes to imm2. */
static int decode_imm(struct emul_insn *insn, struct cursor *c, u16 opnd, unsigned int *nr)
{
	unsigned int bytes = emul_opnd_bytes(insn, opnd);
	u64 val;
	int err;

	switch (OPND_KIND(opnd)) {
	case OK_I:
		err = take(c, bytes, &val);
		if (err)
			return err;
		if ((*nr)++)
			insn->imm2 = val;
		else
			insn->imm = val;
		return 0;
	case OK_SI:
	case OK_J:
		return take_signed(c, bytes, &insn->imm);
	case OK_A:
		err = take(c, bytes - 2, &insn->imm);
		if (!err)
			err = take(c, 2, &val);
		if (!err)
			insn->imm2 = val;
		return err;
	case OK_O:
		insn->is_mem = true;
		return take(c, insn->adsize, &insn->disp);
	default:
		return 0;
	}
}

/*
 * Control, debug and segment register numbers that do not exist. SDM
 * "MOV - Move to/from Control Registers", "... Debug Registers", "MOV - Move".
 */
static bool special_reg_valid(const struct emul_insn *insn, u16 opnd, bool dst)
{
	switch (OPND_KIND(opnd)) {
	case OK_C:
		return insn->reg == 0 || insn->reg == 2 || insn->reg == 3 || insn->reg == 4 ||
		       insn->reg == 8;
	case OK_D:
		return insn->reg < 8;
	case OK_S:
		return (insn->reg & 7) <= X86_GS && !(dst && (insn->reg & 7) == X86_CS);
	default:
		return true;
	}
}

static bool encoding_valid(const struct emul_insn *insn)
{
	const struct emul_opcode *op = insn->op;

	if ((insn->prefixes & EPFX_LOCK) &&
	    !((op->flags & F_LOCK) && insn->is_mem && OPND_KIND(op->opnd[0]) != OK_G))
		return false;
	return special_reg_valid(insn, op->opnd[0], true) &&
	       special_reg_valid(insn, op->opnd[1], false);
}

/* The opcodes of the VEX and EVEX map 1 with an immediate byte. */
static bool vex_map1_has_imm(u8 opcode)
{
	return (opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 ||
	       (opcode >= 0xc4 && opcode <= 0xc6);
}

static const struct emul_opcode vex_row = { .map = MAP_VEX, .id = OPC_VEX };

/*
 * VEX and EVEX: not carried out, so only the length matters. SDM "Intel AVX
 * Instruction Encoding". In EVEX the disp8 is scaled, which changes no length.
 */
static int decode_vex(struct emul_insn *insn, struct cursor *c)
{
	unsigned int map = 1;
	u64 payload;
	int err;

	if ((insn->prefixes & (EPFX_LOCK | EPFX_66 | EPFX_REP | EPFX_REPNE)) || insn->rex)
		return -EINVAL;
	insn->prefixes |= EPFX_VEX;
	err = take(c, insn->opcode == 0xc5 ? 1 : insn->opcode == 0xc4 ? 2 : 3, &payload);
	if (err)
		return err;
	if (insn->opcode == 0xc4)
		map = payload & 0x1f;
	else if (insn->opcode == 0x62)
		map = payload & 7;
	if (insn->opcode == 0x62 && ((payload & 8) || !(payload & 0x400)))
		return -EINVAL;
	if (map < 1 || map == 4 || map > (insn->opcode == 0x62 ? 6 : 3))
		return -EINVAL;
	insn->map = MAP_VEX;
	insn->op = &vex_row;
	err = take_byte(c, &insn->opcode);
	if (err)
		return err;
	if (map == 1 && insn->opcode == 0x77) /* VZEROUPPER, VZEROALL */
		return 0;
	err = take_byte(c, &insn->modrm);
	if (err)
		return err;
	insn->has_modrm = true;
	insn->mod = insn->modrm >> 6;
	err = decode_mem(insn, c);
	if (!err && (map == 3 || (map == 1 && vex_map1_has_imm(insn->opcode))))
		err = take(c, 1, &insn->imm);
	return err;
}

/* C4, C5 and 62 are LES, LDS and BOUND outside 64-bit mode when memory follows. */
static bool is_vex(const struct emul_insn *insn, const struct cursor *c, bool *short_of_bytes)
{
	*short_of_bytes = false;
	if (insn->opcode != 0xc4 && insn->opcode != 0xc5 && insn->opcode != 0x62)
		return false;
	if (insn->mode == EMUL_MODE_64)
		return true;
	if (c->pos >= c->n) {
		*short_of_bytes = true;
		return false;
	}
	return c->p[c->pos] >= 0xc0;
}

static int decode_legacy(struct emul_insn *insn, struct cursor *c)
{
	unsigned int i, nr = 0;
	int err;

	err = decode_map(insn, c);
	if (!err)
		err = decode_row(insn, c);
	if (!err)
		err = decode_mem(insn, c);
	for (i = 0; !err && i < ARRAY_SIZE(insn->op->opnd); i++)
		err = decode_imm(insn, c, insn->op->opnd[i], &nr);
	if (!err && !encoding_valid(insn))
		err = -EINVAL;
	return err;
}

int emul_decode(struct emul_insn *insn, const u8 *bytes, size_t n, enum emul_mode mode)
{
	struct cursor c = { bytes, min_t(size_t, n, EMUL_INSN_MAX), 0 };
	bool short_of_bytes;
	int err;

	memset(insn, 0, sizeof(*insn));
	insn->mode = mode;
	insn->seg = EMUL_NO_REG;
	err = decode_prefixes(insn, &c);
	if (err)
		return err;
	decode_sizes(insn);
	if (is_vex(insn, &c, &short_of_bytes))
		err = decode_vex(insn, &c);
	else if (short_of_bytes)
		err = c.pos >= EMUL_INSN_MAX ? -E2BIG : -ENODATA;
	else
		err = decode_legacy(insn, &c);
	if (err)
		return err;
	insn->length = c.pos;
	return c.pos;
}
