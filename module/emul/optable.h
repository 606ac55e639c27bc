/* SPDX-License-Identifier: GPL-2.0-only */
/* Between optable.c and decode.c: how a chain of table rows is found. */
#ifndef TURTLES_EMUL_OPTABLE_H
#define TURTLES_EMUL_OPTABLE_H

#include "emul/decode.h"

/* First row of a chain; the chain ends before the next row with this flag. */
#define F_FIRST BIT(23)

/* First row of the chain of an opcode, or NULL. */
const struct emul_opcode *emul_first_row(enum emul_map map, u8 code);

#endif /* TURTLES_EMUL_OPTABLE_H */
