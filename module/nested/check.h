/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VM-entry checks on a vmcs12 (SDM chapter "VM Entries").
 *
 * Every check is a named row, in the SDM's order, in one of the tables for
 * controls (check_ctls.c), host state (check_host.c) and guest state
 * (check_guest.c, check_guest_seg.c, check_guest_late.c). The first row that
 * fails decides how the entry ends.
 *
 * Pure: reads the vmcs12 and struct nested_check_env and nothing else. What the
 * rows need from L1's memory is read once by the caller and put into the env.
 */
#ifndef TURTLES_NESTED_CHECK_H
#define TURTLES_NESTED_CHECK_H

#include <linux/types.h>
#include <asm/vmx.h>
#include "hw/x86_state.h"
#include "nested/caps.h"
#include "nested/vmcs12.h"

/**
 * struct nested_check_env - what the checks depend on besides the vmcs12
 * @caps:	  capabilities offered to this L1
 * @maxphyaddr:	  L1's physical-address width
 * @linear_bits:  L1's linear-address width, 48 or 57
 * @l1_lma:	  L1 executes VMLAUNCH/VMRESUME in IA-32e mode (EFER.LMA)
 * @rtm:	  L1's CPUID has RTM
 * @efer_valid:	  EFER bits that L1's CPUID makes valid (LMA included)
 * @debugctl_valid: IA32_DEBUGCTL bits that L1 may set
 * @vtpr_valid:	  @vtpr was read; else the row that needs it fails
 * @vtpr:	  byte 0x80 of the virtual-APIC page
 * @link_valid:	  @link_header was read; else the row that needs it fails
 * @link_header:  first 32 bits of the VMCS that the link pointer names
 * @current_vmptr: address of the VMCS itself
 * @pdptes_valid: @pdptes were read; else the row that needs them fails
 * @pdptes:	  the four PDPTEs at guest CR3, needed without EPT only
 *
 * nested_check_needs_*() say whether the caller has to read them.
 */
struct nested_check_env {
	const struct vmx_caps *caps;
	u8 maxphyaddr;
	u8 linear_bits;
	bool l1_lma;
	bool rtm;
	u64 efer_valid;
	u64 debugctl_valid;
	bool vtpr_valid;
	u8 vtpr;
	bool link_valid;
	u32 link_header;
	u64 current_vmptr;
	bool pdptes_valid;
	u64 pdptes[4];
};

/* How an entry ends. */
enum nested_check_kind {
	NESTED_CHECK_OK,
	NESTED_VMFAIL_VALID, /* VMfailValid(number) */
	NESTED_ENTRY_FAIL,   /* failed-entry VM exit, reason and qualification */
};

struct nested_check;

/**
 * struct nested_check_row - one entry check
 * @name:    for traces and tests
 * @section: title of the SDM section that demands it
 * @when:    the row applies only when this holds; NULL = always
 * @ok:	     the check; true = passed
 * @seg:     segment register that the row is about, for segment rows
 * @qual:    exit qualification of a failed entry (guest-state rows)
 */
struct nested_check_row {
	const char *name;
	const char *section;
	bool (*when)(const struct nested_check *c);
	bool (*ok)(const struct nested_check *c);
	u8 seg;
	u8 qual;
};

/**
 * struct nested_check - what a row's functions get
 * @v:	 the VMCS
 * @env: the rest
 * @seg: the row's segment register number
 * @s:	 that segment register, for segment rows
 */
struct nested_check {
	const struct vmcs12 *v;
	const struct nested_check_env *env;
	u8 seg;
	struct x86_seg s;
};

/**
 * struct nested_check_result - outcome of all rows
 * @kind:  how the entry ends
 * @error: VM-instruction error number, or basic exit reason
 * @qual:  exit qualification of a failed entry
 * @row:   the row that failed, NULL if none
 */
struct nested_check_result {
	enum nested_check_kind kind;
	u32 error;
	u64 qual;
	const struct nested_check_row *row;
};

/**
 * struct nested_check_cache - an entry that passed all checks
 * @valid: there is one
 * @seen:  its vmcs12; only the fields that tables with cached inputs look at
 * @env:   its environment
 */
struct nested_check_cache {
	bool valid;
	struct vmcs12 seen;
	struct nested_check_env env;
};

/* Exit qualifications of "VM-entry failure due to invalid guest state". */
#define ENTRY_QUAL_DEFAULT  0
#define ENTRY_QUAL_PDPTE    2
#define ENTRY_QUAL_NMI	    3
#define ENTRY_QUAL_LINK_PTR 4

bool nested_check_entry(const struct vmcs12 *v, const struct nested_check_env *env,
			struct nested_check_result *res);
bool nested_check_entry_cached(struct nested_check_cache *cache, const struct vmcs12 *v,
			       const struct nested_check_env *env, struct nested_check_result *res);
bool nested_check_ctls_host(const struct vmcs12 *v, const struct nested_check_env *env,
			    struct nested_check_result *res);
bool nested_check_guest(const struct vmcs12 *v, const struct nested_check_env *env,
			struct nested_check_result *res);

bool nested_check_needs_vtpr(const struct vmcs12 *v);
bool nested_check_needs_link(const struct vmcs12 *v);
bool nested_check_needs_pdptes(const struct vmcs12 *v);

unsigned int nested_check_nr_rows(void);
const struct nested_check_row *nested_check_get_row(unsigned int i);
bool nested_check_row_applies(const struct nested_check_row *row, const struct vmcs12 *v,
			      const struct nested_check_env *env);

bool nested_eptp_valid(const struct vmx_caps *caps, u8 maxphyaddr, u64 eptp);

/* Entries of MSR lists: SDM "Loading MSRs", "Saving MSRs". */
struct vmx_msr_entry_12 {
	u32 index;
	u32 reserved;
	u64 value;
};

static_assert(sizeof(struct vmx_msr_entry_12) == 16);

bool nested_msr_load_ok(const struct vmx_msr_entry_12 *e, bool x2apic);
bool nested_msr_store_ok(const struct vmx_msr_entry_12 *e, bool x2apic);

/* The tables; check.c runs them. */
extern const struct nested_check_row check_ctls_rows[];
extern const unsigned int check_ctls_nr_rows;
extern const struct nested_check_row check_host_rows[];
extern const unsigned int check_host_nr_rows;
extern const struct nested_check_row check_guest_rows[];
extern const unsigned int check_guest_nr_rows;
extern const struct nested_check_row check_guest_seg_rows[];
extern const unsigned int check_guest_seg_nr_rows;
extern const struct nested_check_row check_guest_late_rows[];
extern const unsigned int check_guest_late_nr_rows;

/* What several tables use. */

static inline bool proc_has(const struct vmcs12 *v, u32 bits)
{
	return v->cpu_based_vm_exec_control & bits;
}

/* Secondary controls count only when they are activated. */
static inline bool proc2_has(const struct vmcs12 *v, u32 bits)
{
	return proc_has(v, CPU_BASED_ACTIVATE_SECONDARY_CONTROLS) &&
	       (v->secondary_vm_exec_control & bits);
}

static inline bool pin_has(const struct vmcs12 *v, u32 bits)
{
	return v->pin_based_vm_exec_control & bits;
}

static inline bool exit_has(const struct vmcs12 *v, u32 bits)
{
	return v->vm_exit_controls & bits;
}

static inline bool entry_has(const struct vmcs12 *v, u32 bits)
{
	return v->vm_entry_controls & bits;
}

/* Does @addr fit the physical-address width? */
static inline bool phys_ok(u8 maxphyaddr, u64 addr)
{
	return maxphyaddr >= 64 || !(addr >> maxphyaddr);
}

/* A 4-KiB aligned physical address. */
static inline bool page_addr_ok(u8 maxphyaddr, u64 addr)
{
	return !(addr & 0xfff) && phys_ok(maxphyaddr, addr);
}

/* Bits 63:N-1 identical. */
static inline bool canonical(u8 linear_bits, u64 addr)
{
	u64 top = addr >> (linear_bits - 1);

	return !top || top == ~0ull >> (linear_bits - 1);
}

/* IA32_PAT: eight fields, each UC, WC, WT, WP, WB or UC-. */
static inline bool pat_ok(u64 pat)
{
	int i;

	for (i = 0; i < 64; i += 8) {
		u8 type = pat >> i;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

#endif /* TURTLES_NESTED_CHECK_H */
