/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Integer arithmetic with its flags, as pure functions: values in, value and
 * flags out. Knows no instruction encoding and no guest.
 *
 * Operands are @bytes wide (1, 2, 4, 8) and zero-extended; results too. @flags is
 * RFLAGS; only the arithmetic flags change. Flags that the SDM leaves
 * undefined are given some value that real processors give, where they agree.
 */
#ifndef TURTLES_EMUL_ALU_H
#define TURTLES_EMUL_ALU_H

#include <linux/types.h>

u64 alu_add(u64 a, u64 b, bool carry, unsigned int bytes, u64 *flags);
u64 alu_sub(u64 a, u64 b, bool borrow, unsigned int bytes, u64 *flags);
/* Flags of AND, OR, XOR, TEST with this result. */
void alu_logic_flags(u64 res, unsigned int bytes, u64 *flags);
/* Set ZF, SF, PF from a result, leave the others. */
void alu_zsp(u64 res, unsigned int bytes, u64 *flags);

enum alu_shift { ALU_ROL, ALU_ROR, ALU_RCL, ALU_RCR, ALU_SHL, ALU_SHR, ALU_SAR };
u64 alu_shift(enum alu_shift what, u64 a, unsigned int count, unsigned int bytes, u64 *flags);
/* SHLD (@left) and SHRD. */
u64 alu_shiftd(bool left, u64 a, u64 b, unsigned int count, unsigned int bytes, u64 *flags);

/* Full products; CF and OF say that the upper half matters. */
void alu_mul(u64 a, u64 b, unsigned int bytes, u64 *lo, u64 *hi, u64 *flags);
void alu_imul(u64 a, u64 b, unsigned int bytes, u64 *lo, u64 *hi, u64 *flags);
/* Division of hi:lo; false when it must raise #DE. */
bool alu_div(u64 hi, u64 lo, u64 b, unsigned int bytes, u64 *quot, u64 *rem);
bool alu_idiv(u64 hi, u64 lo, u64 b, unsigned int bytes, u64 *quot, u64 *rem);

#endif /* TURTLES_EMUL_ALU_H */
