/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest segment registers of a vmcs12 by number, for code that treats them
 * alike: the entry checks, and whoever copies L2's state.
 */
#ifndef TURTLES_NESTED_VMCS12_SEG_H
#define TURTLES_NESTED_VMCS12_SEG_H

#include <linux/string.h>
#include "hw/x86_state.h"
#include "nested/vmcs12.h"

/* The VMCS orders LDTR before TR; enum x86_sreg does not. */
static inline unsigned int vmcs12_seg_slot(enum x86_sreg s)
{
	if (s == X86_TR)
		return 7;
	if (s == X86_LDTR)
		return 6;
	return s & 7;
}

/* The arrays are consecutive in the save/restore ABI, in the VMCS's order. */
#define VMCS12_SEG_ARRAY(suffix, size)                                                   \
	static_assert(offsetof(struct vmcs12, guest_tr_##suffix) ==                      \
			      offsetof(struct vmcs12, guest_es_##suffix) + 7 * (size) && \
		      offsetof(struct vmcs12, guest_ldtr_##suffix) ==                    \
			      offsetof(struct vmcs12, guest_es_##suffix) + 6 * (size) && \
		      offsetof(struct vmcs12, guest_gs_##suffix) ==                      \
			      offsetof(struct vmcs12, guest_es_##suffix) + 5 * (size))
VMCS12_SEG_ARRAY(selector, 2);
VMCS12_SEG_ARRAY(base, 8);
VMCS12_SEG_ARRAY(limit, 4);
VMCS12_SEG_ARRAY(ar_bytes, 4);
#undef VMCS12_SEG_ARRAY

#define VMCS12_SEG_PTR(v, suffix, i)                                                \
	((void *)((unsigned long)(v) + offsetof(struct vmcs12, guest_es_##suffix) + \
		  (i) * sizeof((v)->guest_es_##suffix)))

/**
 * vmcs12_get_seg - a guest segment register
 * @v:	 the VMCS
 * @s:	 which
 * @out: result
 */
static inline void vmcs12_get_seg(const struct vmcs12 *v, enum x86_sreg s, struct x86_seg *out)
{
	unsigned int i = vmcs12_seg_slot(s);

	memcpy(&out->selector, VMCS12_SEG_PTR(v, selector, i), 2);
	memcpy(&out->base, VMCS12_SEG_PTR(v, base, i), 8);
	memcpy(&out->limit, VMCS12_SEG_PTR(v, limit, i), 4);
	memcpy(&out->ar, VMCS12_SEG_PTR(v, ar_bytes, i), 4);
	out->reserved = 0;
}

/**
 * vmcs12_set_seg - set a guest segment register
 * @v:	 the VMCS
 * @s:	 which
 * @seg: value
 */
static inline void vmcs12_set_seg(struct vmcs12 *v, enum x86_sreg s, const struct x86_seg *seg)
{
	unsigned int i = vmcs12_seg_slot(s);

	memcpy(VMCS12_SEG_PTR(v, selector, i), &seg->selector, 2);
	memcpy(VMCS12_SEG_PTR(v, base, i), &seg->base, 8);
	memcpy(VMCS12_SEG_PTR(v, limit, i), &seg->limit, 4);
	memcpy(VMCS12_SEG_PTR(v, ar_bytes, i), &seg->ar, 4);
}

#endif /* TURTLES_NESTED_VMCS12_SEG_H */
