/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The enlightened VMCS (TLFS "Enlightened VMCS"): L1 keeps the VMCS of its L2 in a page whose
 * layout it knows, and reaches the fields without VMREAD and VMWRITE. VMLAUNCH and VMRESUME find
 * the page through the VP assist page. evmcs_fields.def says where the fields are.
 *
 * L0 works on struct vmcs12 as ever: an entry reads the page once, into L0's memory, and takes
 * from there what L1 has changed since the last one; an exit writes what VM exits write.
 *
 * Pure; insn.c and vcpu/nested_evmcs.c call it.
 */
#ifndef TURTLES_NESTED_EVMCS_H
#define TURTLES_NESTED_EVMCS_H

#include <linux/types.h>
#include "nested/insn.h"
#include "nested/vmcs12.h"

/* Versions that are offered: CPUID leaf 0x4000000a EAX, highest in bits 15:8, lowest in 7:0. */
#define EVMCS_VERSION  1u
#define EVMCS_VERSIONS (EVMCS_VERSION << 8 | EVMCS_VERSION)

/* As much of the page as means something, and what is in it besides the fields. */
#define EVMCS_SIZE	     1024
#define EVMCS_REVISION	     0
#define EVMCS_CLEAN	     824
#define EVMCS_CONTROL	     836
#define EVMCS_CONTROL_BITMAP (1u << 1) /* the MSR bitmap has a clean-field bit */

/* Clean-field groups; see evmcs_fields.def for the last two. */
#define EVMCS_GROUP_IO_BITMAP	  (1u << 0)
#define EVMCS_GROUP_MSR_BITMAP	  (1u << 1)
#define EVMCS_GROUP_CONTROL_GRP2  (1u << 2)
#define EVMCS_GROUP_CONTROL_GRP1  (1u << 3)
#define EVMCS_GROUP_CONTROL_PROC  (1u << 4)
#define EVMCS_GROUP_CONTROL_EVENT (1u << 5)
#define EVMCS_GROUP_CONTROL_ENTRY (1u << 6)
#define EVMCS_GROUP_CONTROL_EXCPN (1u << 7)
#define EVMCS_GROUP_CRDR	  (1u << 8)
#define EVMCS_GROUP_CONTROL_XLAT  (1u << 9)
#define EVMCS_GROUP_GUEST_BASIC	  (1u << 10)
#define EVMCS_GROUP_GUEST_GRP1	  (1u << 11)
#define EVMCS_GROUP_GUEST_GRP2	  (1u << 12)
#define EVMCS_GROUP_HOST_POINTER  (1u << 13)
#define EVMCS_GROUP_HOST_GRP1	  (1u << 14)
#define EVMCS_GROUP_EVERY	  0xffffu
#define EVMCS_GROUP_ALWAYS	  (1u << 16)

/* Where the VP assist page says which enlightened VMCS is to be entered. */
#define EVMCS_ASSIST_OFFSET 40

struct evmcs_assist {
	u8 enlighten_vmentry;
	u8 reserved[7];
	u64 current_nested_vmcs;
};

static_assert(sizeof(struct evmcs_assist) == 16);

/* Active, but by the memory of a VM that is not there yet: KVM_SET_NESTED_STATE. */
#define EVMCS_PENDING (~1ull)

enum evmcs_fetch {
	EVMCS_NOT_USED,
	EVMCS_FETCHED,
	EVMCS_NO_MEMORY,
	EVMCS_UNKNOWN_REVISION,
};

/* Bytes [from, to) that a VM exit writes. */
struct evmcs_run {
	u16 from;
	u16 to;
};

extern const struct evmcs_run evmcs_runs[];
extern const unsigned int evmcs_nr_runs;

int evmcs_offset(const struct vmcs12_field *f);
void evmcs_caps(struct vmx_caps *out, const struct vmx_caps *caps);
bool evmcs_assist_read(const struct nested_ops *ops, void *ctx, u64 assist, u64 *ptr);
enum evmcs_fetch evmcs_fetch(const struct vmx_insn *i, u64 *ptr);
u32 evmcs_activate(struct nested_state *ns, const void *page, u64 ptr, bool launch);
void evmcs_load(struct vmcs12 *v, const void *page, u32 clean);
void evmcs_store(void *page, const struct vmcs12 *v);
int evmcs_write_runs(const struct nested_ops *ops, void *ctx, u64 ptr, const void *page);
u32 evmcs_word(const void *page, unsigned int offset);

#endif /* TURTLES_NESTED_EVMCS_H */
