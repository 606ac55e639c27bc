/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to vcpu/msr*.c: the MSR table and the filter.
 */
#ifndef TURTLES_VCPU_MSR_H
#define TURTLES_VCPU_MSR_H

#include <linux/types.h>

struct vcpu;

/* Answers of the accessors beside 0; never an errno that reaches user space. */
#define MSR_FAULT   1 /* #GP(0) */
#define MSR_UNKNOWN (-ENOENT)

#define MSR_LISTED  BIT(0) /* in KVM_GET_MSR_INDEX_LIST */
#define MSR_FEATURE BIT(1) /* in KVM_GET_MSR_FEATURE_INDEX_LIST */

/**
 * struct msr_row - one MSR, or a range of alike ones
 * @first, @last: indices
 * @flags: MSR_LISTED, MSR_FEATURE
 * @get: read; @host = for user space: no look at the guest's CPUID
 * @set: write; same
 * @offered: may it be listed on this host? NULL = always
 */
struct msr_row {
	u32 first, last;
	u32 flags;
	int (*get)(struct vcpu *v, u32 index, u64 *val, bool host);
	int (*set)(struct vcpu *v, u32 index, u64 val, bool host);
	bool (*offered)(void);
};

extern const struct msr_row msr_rows[];
extern const unsigned int nr_msr_rows;

u64 msr_host_arch_capabilities(void);
u64 msr_host_de_cfg(void);

/* mce.c */
int get_mcg(struct vcpu *v, u32 index, u64 *val, bool host);
int set_mcg(struct vcpu *v, u32 index, u64 val, bool host);
int get_mce_bank(struct vcpu *v, u32 index, u64 *val, bool host);
int set_mce_bank(struct vcpu *v, u32 index, u64 val, bool host);
int get_mce_ctl2(struct vcpu *v, u32 index, u64 *val, bool host);
int set_mce_ctl2(struct vcpu *v, u32 index, u64 val, bool host);

/* msr_filter.c: may the guest? vm->srcu held */
bool msr_allowed(struct vcpu *v, u32 index, bool write);

#endif /* TURTLES_VCPU_MSR_H */
