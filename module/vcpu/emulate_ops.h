/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to vcpu/emulate*.c. */
#ifndef TURTLES_VCPU_EMULATE_OPS_H
#define TURTLES_VCPU_EMULATE_OPS_H

#include "emul/emul.h"

extern const struct emul_ops vcpu_emul_ops;

#endif /* TURTLES_VCPU_EMULATE_OPS_H */
