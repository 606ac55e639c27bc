/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction decoder: bytes in, struct emul_insn out. It is pure: it sees no
 * guest, no CPU state and no memory but the bytes it is given.
 *
 * Called by the executor (exec.c), and by anyone who must know which instruction
 * sits at an address, such as the #UD path that finds VMX instructions on SVM hardware.
 *
 * What an instruction is comes from the table in opcodes*.def, one row per
 * encoding. It is described in the words of the SDM, "Instruction Format", and of
 * its opcode maps: E is a ModRM operand, G the ModRM reg field, and so on.
 */
#ifndef TURTLES_EMUL_DECODE_H
#define TURTLES_EMUL_DECODE_H

#include <linux/bits.h>
#include <linux/types.h>

/* Longest instruction that a processor accepts. */
#define EMUL_INSN_MAX 15

/* Default operand and address size of the code segment. */
enum emul_mode { EMUL_MODE_16, EMUL_MODE_32, EMUL_MODE_64 };

/* What an instruction does. The list is opcode_ids.def. */
enum emul_opc {
#define ID(name, handler) OPC_##name,
#include "emul/opcode_ids.def"
#undef ID
	OPC_NR
};

/* Opcode maps. */
enum emul_map { MAP_1, MAP_0F, MAP_0F38, MAP_0F3A, MAP_NR, MAP_VEX = MAP_NR };

/*
 * An operand of a table row: kind | size. The letters are those of the SDM's opcode maps.
 */
enum emul_opnd_kind {
	OK_NONE,
	OK_E,	/* ModRM: general register or memory */
	OK_M,	/* ModRM: memory only */
	OK_R,	/* ModRM r/m: general register, whatever mod says */
	OK_G,	/* ModRM reg: general register */
	OK_S,	/* ModRM reg: segment register */
	OK_C,	/* ModRM reg: control register */
	OK_D,	/* ModRM reg: debug register */
	OK_V,	/* ModRM reg: XMM register */
	OK_W,	/* ModRM: XMM register or memory */
	OK_P,	/* ModRM reg: MMX register */
	OK_Q,	/* ModRM: MMX register or memory */
	OK_Z,	/* low three bits of the opcode: general register */
	OK_ACC, /* AL, AX, EAX, RAX */
	OK_DX,	/* DX, of I/O instructions */
	OK_CL,
	OK_ONE, /* the constant 1, of shifts */
	OK_I,	/* immediate, zero-extended from its own size */
	OK_SI,	/* immediate, sign-extended to the operand size */
	OK_J,	/* immediate, relative branch target */
	OK_A,	/* immediate, far pointer */
	OK_O,	/* memory at an offset without ModRM */
	OK_X,	/* memory at DS:rSI */
	OK_Y,	/* memory at ES:rDI */
};

enum emul_opnd_size {
	OS_0,
	OS_B, /* 1 */
	OS_W, /* 2 */
	OS_D, /* 4 */
	OS_Q, /* 8 */
	OS_X, /* 16 */
	OS_V, /* operand size */
	OS_Z, /* operand size, at most 4 */
	OS_Y, /* operand size, at least 4 */
	OS_N, /* 8 in 64-bit mode, else 4 */
	OS_P, /* far pointer: operand size + 2 */
};

#define OPND(kind, size) ((kind) << 4 | (size))
#define OPND_KIND(o)	 ((o) >> 4)
#define OPND_SIZE(o)	 ((o)&15)

/* Row flags: which encodings the row matches ... */
#define F_G(n)	   ((n) | 8u) /* ModRM reg is n */
#define F_G_MASK   7u
#define F_HAS_G	   8u
#define F_RM(n)	   ((n) << 4 | 0x80u) /* ModRM rm is n */
#define F_RM_SHIFT 4
#define F_HAS_RM   0x80u
#define F_MEM	   BIT(8)  /* ModRM is memory */
#define F_REG	   BIT(9)  /* ModRM is a register */
#define F_NP	   BIT(10) /* mandatory prefix: none, */
#define F_66	   BIT(11) /* 66, */
#define F_F3	   BIT(12) /* F3, */
#define F_F2	   BIT(13) /* F2; several may be set */
#define F_PFX	   (F_NP | F_66 | F_F3 | F_F2)
#define F_I64	   BIT(14) /* not in 64-bit mode */
#define F_O64	   BIT(15) /* only in 64-bit mode */
/* ... and what is special about it. */
#define F_LOCK	BIT(16) /* LOCK is allowed (with a memory operand) */
#define F_D64	BIT(17) /* operand size defaults to 64 bits in 64-bit mode */
#define F_F64	BIT(18) /* operand size is 64 bits in 64-bit mode */
#define F_CPL0	BIT(19) /* #GP unless at privilege level 0 */
#define F_PROT	BIT(20) /* #UD in real and virtual-8086 mode */
#define F_RW	BIT(21) /* the first operand is read and written */
#define F_MODRM BIT(22) /* has a ModRM byte although no operand says so */

/**
 * struct emul_opcode - a row of the opcode table
 * @map:   enum emul_map
 * @code:  opcode byte (the first, where a row covers several)
 * @id:    enum emul_opc
 * @opnd:  operands, OPND()
 * @flags: F_*
 */
struct emul_opcode {
	u8 map;
	u8 code;
	u16 id;
	u16 opnd[3];
	u32 flags;
};

/* Prefixes seen. */
#define EPFX_LOCK    BIT(0)
#define EPFX_REP     BIT(1) /* F3 */
#define EPFX_REPNE   BIT(2) /* F2 */
#define EPFX_66	     BIT(3)
#define EPFX_67	     BIT(4)
#define EPFX_SEG     BIT(5)
#define EPFX_REX     BIT(6)
#define EPFX_VEX     BIT(7) /* VEX or EVEX */

#define EMUL_NO_REG  0xff
#define EMUL_RIP_REL 0xfe /* as base */

/**
 * struct emul_insn - a decoded instruction
 * @op:       its row
 * @length:   bytes, prefixes included
 * @map:      enum emul_map
 * @opcode:   opcode byte
 * @mode:     enum emul_mode it was decoded for
 * @prefixes: EPFX_*
 * @rex:      REX prefix, 0 when there is none
 * @seg:      enum x86_sreg that memory operands go through; the override, or
 *            the default of the addressing form
 * @opsize:   operand size in bytes: 2, 4, 8
 * @adsize:   address size in bytes: 2, 4, 8
 * @modrm:    ModRM byte
 * @mod:      its mod field
 * @reg:      its reg field, extended by REX.R
 * @rm:       its rm field, extended by REX.B
 * @base:     base register of the memory operand, EMUL_NO_REG, EMUL_RIP_REL
 * @index:    index register or EMUL_NO_REG
 * @scale:    log2 of the scale
 * @has_modrm: there is a ModRM byte
 * @is_mem:   the ModRM byte or moffs names memory
 * @disp:     displacement, or moffs
 * @imm:      immediate; sign- or zero-extended as the row says
 * @imm2:     second immediate: selector of a far pointer, level of ENTER
 */
struct emul_insn {
	const struct emul_opcode *op;
	u8 length;
	u8 map;
	u8 opcode;
	u8 mode;
	u8 prefixes;
	u8 rex;
	u8 seg;
	u8 opsize;
	u8 adsize;
	u8 modrm;
	u8 mod;
	u8 reg;
	u8 rm;
	u8 base;
	u8 index;
	u8 scale;
	bool has_modrm;
	bool is_mem;
	u64 disp;
	u64 imm;
	u16 imm2;
};

/**
 * emul_decode() - decode one instruction
 * @insn:  result; meaningful only on success
 * @bytes: instruction bytes
 * @n:     how many there are
 * @mode:  default sizes of the code segment
 *
 * Privilege and mode-of-operation rules which need CPU state are left to the
 * executor; everything else that makes an encoding invalid is found here.
 *
 * Return: the length, or
 * -ENODATA when more than @n bytes are needed,
 * -EINVAL  when no such instruction exists (#UD),
 * -E2BIG   when the instruction is longer than 15 bytes (#GP).
 */
int emul_decode(struct emul_insn *insn, const u8 *bytes, size_t n, enum emul_mode mode);

/**
 * emul_opnd_bytes() - size in bytes of an operand of a decoded instruction
 * @insn: the instruction
 * @opnd: operand of its row
 */
unsigned int emul_opnd_bytes(const struct emul_insn *insn, u16 opnd);

/* Name of what the instruction does, for traces and tests. */
const char *emul_opc_name(enum emul_opc id);

/* The whole table, for tests: row count and rows. */
extern const struct emul_opcode emul_opcodes[];
extern const unsigned int emul_nr_opcodes;

#endif /* TURTLES_EMUL_DECODE_H */
