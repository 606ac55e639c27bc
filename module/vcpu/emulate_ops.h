/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to vcpu/emulate*.c. */
#ifndef TURTLES_VCPU_EMULATE_OPS_H
#define TURTLES_VCPU_EMULATE_OPS_H

#include "emul/emul.h"

struct mmio_frag;

extern const struct emul_ops vcpu_emul_ops;
void emulate_trace_mmio(bool write, const struct mmio_frag *f);

#endif /* TURTLES_VCPU_EMULATE_OPS_H */
