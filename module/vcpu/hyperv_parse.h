/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a hypercall's registers mean: control word, sets of virtual processors. Pure.
 */
#ifndef TURTLES_VCPU_HYPERV_PARSE_H
#define TURTLES_VCPU_HYPERV_PARSE_H

#include <linux/types.h>

/* A bank is 64 virtual processors; what lies above the last VP index is accepted and empty. */
#define HV_NR_BANKS 16

/**
 * struct hv_control - the control word of a hypercall (TLFS "Hypercall Inputs")
 * @code:      call code
 * @fast:      input is in registers
 * @var_words: size of the variable header, in 8 bytes
 * @rep_count, @rep_start: of a rep hypercall
 * @reserved:  some bit that must be 0 is set
 */
struct hv_control {
	u16 code;
	bool fast;
	bool reserved;
	u16 var_words;
	u16 rep_count, rep_start;
};

struct hv_control hv_decode_control(u64 word);

/* Set of virtual processors by VP index. */
struct hv_vp_set {
	bool all;
	u64 banks[HV_NR_BANKS];
};

/* Processors 0-63. */
void hv_vp_set_mask(struct hv_vp_set *set, u64 mask);
/* A sparse set (TLFS "HV_VP_SET"): false when @nr is not the number of banks in @valid. */
bool hv_vp_set_sparse(struct hv_vp_set *set, u64 valid, const u64 *banks, unsigned int nr);
bool hv_vp_set_has(const struct hv_vp_set *set, u32 vp_index);

/* Factor of the reference TSC page for a TSC of @khz, or 0 where it does not fit. */
u64 hv_tsc_scale(u32 khz);
/* Reference time, in 100 ns, that the page's reader computes. */
u64 hv_tsc_to_ref(u64 tsc, u64 scale, u64 offset);

#endif /* TURTLES_VCPU_HYPERV_PARSE_H */
