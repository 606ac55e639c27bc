// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space is told of MSRs before any VM exists: KVM_GET_MSR_INDEX_LIST,
 * KVM_GET_MSR_FEATURE_INDEX_LIST and KVM_GET_MSRS on the system fd. All from msr_table.c.
 */
#include <linux/kernel.h>
#include <asm/msr.h>

#include "vcpu/msr.h"
#include "vcpu/nested.h"
#include "vcpu/vcpu.h"

static bool is_vmx(u32 index)
{
	return index >= MSR_IA32_VMX_BASIC && index <= MSR_IA32_VMX_VMFUNC;
}

/** msr_get_feature - value of a feature MSR on this host: 0, or -EINVAL: no such */
int msr_get_feature(u32 index, u64 *val)
{
	if (is_vmx(index))
		return hw->nested_caps && !nested_get_vmx_feature_msr(index, val) ? 0 : -EINVAL;
	switch (index) {
	case MSR_IA32_UCODE_REV:
		if (rdmsrl_safe(index, val))
			*val = 0;
		return 0;
	case MSR_IA32_ARCH_CAPABILITIES:
		*val = msr_host_arch_capabilities();
		return 0;
	case MSR_IA32_PERF_CAPABILITIES:
		*val = 0;
		return 0;
	case MSR_AMD64_DE_CFG:
		*val = msr_host_de_cfg();
		return *val ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

static int list(u32 flag, u32 *out, u32 *n)
{
	u32 room = *n, count = 0, i, index;
	u64 unused;

	for (i = 0; i < nr_msr_rows; i++) {
		const struct msr_row *row = &msr_rows[i];

		if (!(row->flags & flag) || (row->offered && !row->offered()))
			continue;
		for (index = row->first; index <= row->last; index++) {
			/* The VMX range has members that not every backend offers. */
			if (is_vmx(index) && msr_get_feature(index, &unused))
				continue;
			if (count < room)
				out[count] = index;
			count++;
		}
	}
	*n = count;
	return count > room ? -E2BIG : 0;
}

/** msr_index_list - KVM_GET_MSR_INDEX_LIST; -E2BIG with *@n = needed */
int msr_index_list(u32 *out, u32 *n)
{
	return list(MSR_LISTED, out, n);
}

int msr_feature_list(u32 *out, u32 *n)
{
	return list(MSR_FEATURE, out, n);
}
