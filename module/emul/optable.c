// SPDX-License-Identifier: GPL-2.0-only
/*
 * The opcode table, assembled from opcodes_*.def, and its index by map and opcode.
 * Only decode.c looks here; tests walk the rows.
 */
#include <linux/kernel.h>

#include "emul/decode.h"
#include "emul/optable.h"

/* Operands, in the words of the SDM's opcode maps. */
#define NO   0
#define Eb   OPND(OK_E, OS_B)
#define Ew   OPND(OK_E, OS_W)
#define Ed   OPND(OK_E, OS_D)
#define Ev   OPND(OK_E, OS_V)
#define Ey   OPND(OK_E, OS_Y)
#define En   OPND(OK_E, OS_N)
#define M    OPND(OK_M, OS_0)
#define Mq   OPND(OK_M, OS_Q)
#define Mp   OPND(OK_M, OS_P)
#define Rv   OPND(OK_R, OS_V)
#define Ry   OPND(OK_R, OS_Y)
#define Rn   OPND(OK_R, OS_N)
#define Gb   OPND(OK_G, OS_B)
#define Gw   OPND(OK_G, OS_W)
#define Gd   OPND(OK_G, OS_D)
#define Gv   OPND(OK_G, OS_V)
#define Gy   OPND(OK_G, OS_Y)
#define Gn   OPND(OK_G, OS_N)
#define Sw   OPND(OK_S, OS_W)
#define Cn   OPND(OK_C, OS_N)
#define Dn   OPND(OK_D, OS_N)
#define Vx   OPND(OK_V, OS_X)
#define Wd   OPND(OK_W, OS_D)
#define Wq   OPND(OK_W, OS_Q)
#define Wx   OPND(OK_W, OS_X)
#define Pq   OPND(OK_P, OS_Q)
#define Qq   OPND(OK_Q, OS_Q)
#define Zb   OPND(OK_Z, OS_B)
#define Zv   OPND(OK_Z, OS_V)
#define ACCb OPND(OK_ACC, OS_B)
#define ACCv OPND(OK_ACC, OS_V)
#define ACCz OPND(OK_ACC, OS_Z)
#define DX   OPND(OK_DX, OS_W)
#define CL   OPND(OK_CL, OS_B)
#define ONE  OPND(OK_ONE, OS_B)
#define Ib   OPND(OK_I, OS_B)
#define Iw   OPND(OK_I, OS_W)
#define Iv   OPND(OK_I, OS_V)
#define SIb  OPND(OK_SI, OS_B)
#define SIz  OPND(OK_SI, OS_Z)
#define Jb   OPND(OK_J, OS_B)
#define Jz   OPND(OK_J, OS_Z)
#define Ap   OPND(OK_A, OS_P)
#define Ob   OPND(OK_O, OS_B)
#define Ov   OPND(OK_O, OS_V)
#define Xb   OPND(OK_X, OS_B)
#define Xv   OPND(OK_X, OS_V)
#define Xz   OPND(OK_X, OS_Z)
#define Yb   OPND(OK_Y, OS_B)
#define Yv   OPND(OK_Y, OS_V)
#define Yz   OPND(OK_Y, OS_Z)

/* The rows. */
#define ROW(map, code, id, a, b, c, flags)    { map, code, OPC_##id, { a, b, c }, flags },
#define OP(map, code, id, a, b, c, flags)     ROW(map, code, id, a, b, c, (flags) | F_FIRST)
#define OPN(map, code, n, id, a, b, c, flags) ROW(map, code, id, a, b, c, (flags) | F_FIRST)
#define ALT(map, code, id, a, b, c, flags)    ROW(map, code, id, a, b, c, flags)

const struct emul_opcode emul_opcodes[] = {
#include "emul/opcodes_1.def"
#include "emul/opcodes_0f.def"
#include "emul/opcodes_vec.def"
	{ .flags = F_FIRST }, /* ends the last chain */
};

const unsigned int emul_nr_opcodes = ARRAY_SIZE(emul_opcodes) - 1;

#undef OP
#undef OPN
#undef ALT

/* Their numbers: a chain is named after its opcode, further rows are only counted. */
#define PASTE2(a, b)	       a##b
#define PASTE(a, b)	       PASTE2(a, b)
#define OP(map, code, ...)     ROW_##map##_##code,
#define OPN(map, code, n, ...) ROW_##map##_##code,
#define ALT(...)	       PASTE(ROW_FURTHER_, __COUNTER__),

enum {
#include "emul/opcodes_1.def"
#include "emul/opcodes_0f.def"
#include "emul/opcodes_vec.def"
};

#undef OP
#undef OPN
#undef ALT

/* Row number + 1 of the first row of every opcode; 0 when there is none. */
#define OP(map, code, ...)     [map][code] = ROW_##map##_##code + 1,
#define OPN(map, code, n, ...) [map][(code)...(code) + (n)-1] = ROW_##map##_##code + 1,
#define ALT(...)

static const u16 opcode_index[MAP_NR][256] = {
#include "emul/opcodes_1.def"
#include "emul/opcodes_0f.def"
#include "emul/opcodes_vec.def"
};

const struct emul_opcode *emul_first_row(enum emul_map map, u8 code)
{
	u16 n = opcode_index[map][code];

	return n ? &emul_opcodes[n - 1] : NULL;
}

#define ID(name, handler) [OPC_##name] = #name,
static const char *const opc_names[OPC_NR] = {
#include "emul/opcode_ids.def"
};

const char *emul_opc_name(enum emul_opc id)
{
	return (unsigned int)id < OPC_NR ? opc_names[id] : "?";
}
