/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to vcpu/cpuid*.c: a vCPU's CPUID table.
 */
#ifndef TURTLES_VCPU_CPUID_H
#define TURTLES_VCPU_CPUID_H

#include <linux/kvm.h>
#include <linux/types.h>
#include <asm/cpufeatures.h>

struct vcpu;

#define CPUID_MAX_ENTRIES 256
#define CPUID_NO_ENTRY	  0xffff

/* Functions that are found without a search: the basic, extended and hypervisor ranges. */
#define CPUID_BASIC_HEADS 0x20u
#define CPUID_EXT_HEADS	  0x28u
#define CPUID_HV_HEADS	  0x08u
#define CPUID_NR_HEADS	  (CPUID_BASIC_HEADS + CPUID_EXT_HEADS + CPUID_HV_HEADS)

/**
 * struct vcpu_cpuid - the table of KVM_SET_CPUID2, in the order given
 * @nent:     number of entries
 * @intel:    vendor is GenuineIntel: out-of-range leaves repeat the last basic one
 * @dynamic:  entries with bits that CR4, XCR0 and IA32_APIC_BASE decide, or NULL
 * @head:     first entry of a function, by head number; CPUID_NO_ENTRY = none
 * @next:     next entry of the same function
 * @features: feature words in the kernel's numbering, for vcpu_has_feature()
 */
struct vcpu_cpuid {
	u32 nent;
	bool intel;
	bool xsavec;
	u32 kvm_base; /* leaf with KVM's signature, or 0: Hyper-V's leaves move it up */
	struct {
		struct kvm_cpuid_entry2 *leaf1, *leaf7, *leaf_d0, *leaf_d1;
	} dynamic;
	u64 xsave_xcr0; /* XCR0 for which leaf 0xd's sizes hold */
	u32 features[NCAPINTS];
	u16 head[CPUID_NR_HEADS];
	u16 next[CPUID_MAX_ENTRIES];
	struct kvm_cpuid_entry2 e[];
};

/* cpuid.c: the vCPU's leaf @function, index 0; or NULL */
const struct kvm_cpuid_entry2 *vcpu_cpuid_entry(struct vcpu *v, u32 function);

/* cpuid_host.c: size of the XSAVE area for @xcr0, standard or compacted format. */
u32 cpuid_xsave_size(u64 xcr0, bool compacted);

#endif /* TURTLES_VCPU_CPUID_H */
