// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of Hyper-V's interfaces: control words, processor sets, the reference TSC page.
 * Pure: compiles in user space.
 */
#include <linux/bitops.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "vcpu/hyperv_parse.h"

#define CONTROL_CODE(w)	     ((u16)(w))
#define CONTROL_FAST	     BIT_ULL(16)
#define CONTROL_VAR(w)	     ((u16)((w) >> 17 & 0x3ff))
#define CONTROL_REP_COUNT(w) ((u16)((w) >> 32 & 0xfff))
#define CONTROL_REP_START(w) ((u16)((w) >> 48 & 0xfff))
#define CONTROL_RESERVED     (GENMASK_ULL(31, 27) | GENMASK_ULL(47, 44) | GENMASK_ULL(63, 60))

/** hv_decode_control - take a control word apart */
struct hv_control hv_decode_control(u64 word)
{
	struct hv_control c = {
		.code = CONTROL_CODE(word),
		.fast = word & CONTROL_FAST,
		.reserved = word & CONTROL_RESERVED,
		.var_words = CONTROL_VAR(word),
		.rep_count = CONTROL_REP_COUNT(word),
		.rep_start = CONTROL_REP_START(word),
	};

	return c;
}

void hv_vp_set_mask(struct hv_vp_set *set, u64 mask)
{
	memset(set, 0, sizeof(*set));
	set->banks[0] = mask;
}

/** hv_vp_set_sparse - @banks holds one word for each bit of @valid, in order */
bool hv_vp_set_sparse(struct hv_vp_set *set, u64 valid, const u64 *banks, unsigned int nr)
{
	unsigned int bank;

	memset(set, 0, sizeof(*set));
	if (hweight64(valid) != nr)
		return false;
	for (; valid; valid &= valid - 1) {
		bank = __ffs(valid);
		if (bank < HV_NR_BANKS)
			set->banks[bank] = *banks;
		banks++;
	}
	return true;
}

bool hv_vp_set_has(const struct hv_vp_set *set, u32 vp_index)
{
	if (set->all)
		return true;
	return vp_index / 64 < HV_NR_BANKS && (set->banks[vp_index / 64] & BIT_ULL(vp_index % 64));
}

/* 10 MHz over the TSC's rate, as a fraction of 2^64: a TSC that slow would not fit. */
u64 hv_tsc_scale(u32 khz)
{
	return khz > 10000 ? mul_u64_u64_div_u64(10000ull << 32, 1ull << 32, khz) : 0;
}

u64 hv_tsc_to_ref(u64 tsc, u64 scale, u64 offset)
{
	return mul_u64_u64_shr(tsc, scale, 64) + offset;
}
