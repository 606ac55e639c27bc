/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state-save map of system-management mode: where each register lies in SMRAM. Pure.
 *
 * Guests with long mode have the AMD64 layout (APM volume 2, "SMM State-Save Area"), others the
 * 32-bit one of Intel's processors (SDM "SMRAM State Save Map"; its reserved fields as firmware and
 * other hypervisors have them). Stock KVM uses the same two.
 */
#ifndef TURTLES_VCPU_SMM_MAP_H
#define TURTLES_VCPU_SMM_MAP_H

#include <linux/types.h>
#include "hw/x86_state.h"

#define SMM_MAP_OFFSET	 0xfe00u /* from SMBASE */
#define SMM_MAP_SIZE	 0x200u
#define SMM_ENTRY_OFFSET 0x8000u
#define SMM_RESET_BASE	 0x30000u

/**
 * struct smm_state - the registers that are saved and restored
 * @efer:   AMD64 layout only; else left alone
 * @shadow: interrupt shadow, KVM_X86_SHADOW_INT_*
 * @halted: auto-HALT restart: the SMI came in HLT; RSM goes back there
 */
struct smm_state {
	u64 gpr[X86_NR_REGS];
	u64 rip, rflags;
	u64 cr0, cr3, cr4, efer;
	u64 dr6, dr7;
	struct x86_seg seg[X86_NR_SREGS];
	struct x86_dt gdt, idt;
	u32 smbase;
	u8 shadow;
	bool halted;
};

/* @map has SMM_MAP_SIZE bytes and is written or read as a whole. */
void smm_map_save(void *map, const struct smm_state *s, bool long_mode);
void smm_map_restore(struct smm_state *s, const void *map, bool long_mode);

/* INTR_SHADOW_* as KVM_X86_SHADOW_INT_*, in the map and in the KVM API, and back. */
u8 shadow_to_kvm(u32 shadow);
u32 shadow_from_kvm(u8 kvm);

#endif /* TURTLES_VCPU_SMM_MAP_H */
