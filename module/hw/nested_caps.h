/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a hardware backend can give to context 02, in the words of the VMX
 * capability MSRs. Each backend fills one at hardware_setup(); nested/caps.c
 * intersects it with what the nested core implements and offers the rest to L1.
 */
#ifndef TURTLES_HW_NESTED_CAPS_H
#define TURTLES_HW_NESTED_CAPS_H

#include <linux/types.h>

/**
 * struct hw_nested_caps - the backend's part of the nested VMX capabilities
 * @pin:   pin-based controls that work when 1
 * @proc:  primary processor-based controls that work when 1
 * @proc2: secondary processor-based controls that work when 1
 * @exit:  VM-exit controls that work when 1
 * @entry: VM-entry controls that work when 1
 * @ept:   IA32_VMX_EPT_VPID_CAP bits that composed page tables can express:
 *	   execute-only, 2M and 1G pages, accessed and dirty flags
 * @misc:  IA32_VMX_MISC: activity states (HLT, shutdown, wait-for-SIPI)
 *	   and zero-length injection that the backend can enter with
 * @timer_in_hw: the backend counts L1's timer itself; else the core does
 * @ins_outs_info: exits by INS and OUTS come with instruction information
 *
 * Bits that the core emulates entirely (INVEPT, INVVPID, the MSR lists) and
 * the default1 classes need not be listed.
 */
struct hw_nested_caps {
	u32 pin;
	u32 proc;
	u32 proc2;
	u32 exit;
	u32 entry;
	u64 ept;
	u64 misc;
	bool timer_in_hw;
	bool ins_outs_info;
};

#endif /* TURTLES_HW_NESTED_CAPS_H */
