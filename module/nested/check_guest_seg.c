// SPDX-License-Identifier: GPL-2.0-only
/*
 * SDM "Checks on Guest Segment Registers". One table row per register and rule;
 * a rule's function finds its register in c->s.
 */
#include <linux/kernel.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>
#include "nested/check.h"

#define TYPE_ACCESSED	0x1u
#define TYPE_READABLE	0x2u /* of a code segment */
#define TYPE_CODE	0x8u
#define TYPE_LDT	2u
#define TYPE_TSS16_BUSY 3u
#define TYPE_TSS32_BUSY 11u /* also the 64-bit TSS */
#define VM86_AR		0xf3u

static u32 type_of(u32 ar)
{
	return ar & SEG_AR_TYPE;
}

static u32 dpl_of(u32 ar)
{
	return (ar & SEG_AR_DPL) >> SEG_AR_DPL_SHIFT;
}

static u32 rpl_of(u16 selector)
{
	return selector & 3;
}

/* -- When does a row apply? ------------------------------------------------ */

static bool usable(const struct nested_check *c)
{
	return !(c->s.ar & SEG_AR_UNUSABLE);
}

static bool is_unrestricted(const struct nested_check *c)
{
	return proc2_has(c->v, SECONDARY_EXEC_UNRESTRICTED_GUEST);
}

static bool is_vm86(const struct nested_check *c)
{
	return c->v->guest_rflags & X86_EFLAGS_VM;
}

static bool not_vm86(const struct nested_check *c)
{
	return !is_vm86(c);
}

static bool usable_not_vm86(const struct nested_check *c)
{
	return not_vm86(c) && usable(c);
}

static bool restricted_not_vm86(const struct nested_check *c)
{
	return not_vm86(c) && !is_unrestricted(c);
}

/* Data and non-conforming code segments, where RPL counts. */
static bool usable_restricted_dpl(const struct nested_check *c)
{
	return usable_not_vm86(c) && !is_unrestricted(c) &&
	       type_of(c->s.ar) <= (TYPE_CODE | TYPE_READABLE | TYPE_ACCESSED);
}

static bool is_long(const struct nested_check *c)
{
	return entry_has(c->v, VM_ENTRY_IA32E_MODE);
}

static bool long_not_vm86(const struct nested_check *c)
{
	return not_vm86(c) && is_long(c);
}

/* -- Selectors ------------------------------------------------------------- */

static bool ti_zero(const struct nested_check *c)
{
	return !(c->s.selector & 4);
}

static bool ss_rpl_is_cs_rpl(const struct nested_check *c)
{
	return rpl_of(c->s.selector) == rpl_of(c->v->guest_cs_selector);
}

/* -- Bases and limits ------------------------------------------------------ */

static bool vm86_base(const struct nested_check *c)
{
	return c->s.base == (u64)c->s.selector << 4;
}

static bool base_canonical(const struct nested_check *c)
{
	return canonical(c->env->linear_bits, c->s.base);
}

static bool base_32(const struct nested_check *c)
{
	return !(c->s.base >> 32);
}

static bool vm86_limit(const struct nested_check *c)
{
	return c->s.limit == 0xffff;
}

/* -- Access rights --------------------------------------------------------- */

static bool vm86_ar(const struct nested_check *c)
{
	return c->s.ar == VM86_AR;
}

static bool cs_type(const struct nested_check *c)
{
	switch (type_of(c->s.ar)) {
	case 9:
	case 11:
	case 13:
	case 15:
		return true;
	case 3: /* a data segment, as real mode has it */
		return is_unrestricted(c);
	}
	return false;
}

static bool ss_type(const struct nested_check *c)
{
	return type_of(c->s.ar) == 3 || type_of(c->s.ar) == 7;
}

static bool data_type(const struct nested_check *c)
{
	u32 type = type_of(c->s.ar);

	return (type & TYPE_ACCESSED) && (!(type & TYPE_CODE) || (type & TYPE_READABLE));
}

static bool s_set(const struct nested_check *c)
{
	return c->s.ar & SEG_AR_S;
}

static bool s_clear(const struct nested_check *c)
{
	return !(c->s.ar & SEG_AR_S);
}

static bool cs_dpl(const struct nested_check *c)
{
	u32 ss_dpl = dpl_of(c->v->guest_ss_ar_bytes);

	switch (type_of(c->s.ar)) {
	case 3:
		return dpl_of(c->s.ar) == 0;
	case 9:
	case 11:
		return dpl_of(c->s.ar) == ss_dpl;
	default:
		return dpl_of(c->s.ar) <= ss_dpl;
	}
}

static bool ss_dpl_is_rpl(const struct nested_check *c)
{
	return dpl_of(c->s.ar) == rpl_of(c->s.selector);
}

static bool is_real_or_data_cs(const struct nested_check *c)
{
	return not_vm86(c) &&
	       (type_of(c->v->guest_cs_ar_bytes) == 3 || !(c->v->guest_cr0 & X86_CR0_PE));
}

static bool ss_dpl_zero(const struct nested_check *c)
{
	return dpl_of(c->s.ar) == 0;
}

static bool dpl_covers_rpl(const struct nested_check *c)
{
	return dpl_of(c->s.ar) >= rpl_of(c->s.selector);
}

static bool present(const struct nested_check *c)
{
	return c->s.ar & SEG_AR_P;
}

static bool reserved_clear(const struct nested_check *c)
{
	return !(c->s.ar & SEG_AR_RESERVED);
}

static bool cs_db_or_l(const struct nested_check *c)
{
	return (c->s.ar & (SEG_AR_DB | SEG_AR_L)) != (SEG_AR_DB | SEG_AR_L);
}

/* The limit is in bytes here, G says in what units it was meant. */
static bool granularity(const struct nested_check *c)
{
	bool g = c->s.ar & SEG_AR_G;

	if ((c->s.limit & 0xfff) != 0xfff && g)
		return false;
	return !(c->s.limit & 0xfff00000) || g;
}

static bool tr_type(const struct nested_check *c)
{
	if (type_of(c->s.ar) == TYPE_TSS32_BUSY)
		return true;
	return type_of(c->s.ar) == TYPE_TSS16_BUSY && !is_long(c);
}

static bool ldtr_type(const struct nested_check *c)
{
	return type_of(c->s.ar) == TYPE_LDT;
}

#define SECTION "Checks on Guest Segment Registers"
#define ROW(name_, seg_, when_, ok_)                                                     \
	{                                                                                \
		.name = name_, .section = SECTION, .seg = seg_, .when = when_, .ok = ok_ \
	}

const struct nested_check_row check_guest_seg_rows[] = {
	ROW("guest_tr_ti", X86_TR, NULL, ti_zero),
	ROW("guest_ldtr_ti", X86_LDTR, usable, ti_zero),
	ROW("guest_ss_rpl", X86_SS, restricted_not_vm86, ss_rpl_is_cs_rpl),

	ROW("guest_cs_vm86_base", X86_CS, is_vm86, vm86_base),
	ROW("guest_ss_vm86_base", X86_SS, is_vm86, vm86_base),
	ROW("guest_ds_vm86_base", X86_DS, is_vm86, vm86_base),
	ROW("guest_es_vm86_base", X86_ES, is_vm86, vm86_base),
	ROW("guest_fs_vm86_base", X86_FS, is_vm86, vm86_base),
	ROW("guest_gs_vm86_base", X86_GS, is_vm86, vm86_base),
	ROW("guest_tr_base", X86_TR, NULL, base_canonical),
	ROW("guest_fs_base", X86_FS, NULL, base_canonical),
	ROW("guest_gs_base", X86_GS, NULL, base_canonical),
	ROW("guest_ldtr_base", X86_LDTR, usable, base_canonical),
	ROW("guest_cs_base", X86_CS, NULL, base_32),
	ROW("guest_ss_base", X86_SS, usable, base_32),
	ROW("guest_ds_base", X86_DS, usable, base_32),
	ROW("guest_es_base", X86_ES, usable, base_32),

	ROW("guest_cs_vm86_limit", X86_CS, is_vm86, vm86_limit),
	ROW("guest_ss_vm86_limit", X86_SS, is_vm86, vm86_limit),
	ROW("guest_ds_vm86_limit", X86_DS, is_vm86, vm86_limit),
	ROW("guest_es_vm86_limit", X86_ES, is_vm86, vm86_limit),
	ROW("guest_fs_vm86_limit", X86_FS, is_vm86, vm86_limit),
	ROW("guest_gs_vm86_limit", X86_GS, is_vm86, vm86_limit),

	ROW("guest_cs_vm86_ar", X86_CS, is_vm86, vm86_ar),
	ROW("guest_ss_vm86_ar", X86_SS, is_vm86, vm86_ar),
	ROW("guest_ds_vm86_ar", X86_DS, is_vm86, vm86_ar),
	ROW("guest_es_vm86_ar", X86_ES, is_vm86, vm86_ar),
	ROW("guest_fs_vm86_ar", X86_FS, is_vm86, vm86_ar),
	ROW("guest_gs_vm86_ar", X86_GS, is_vm86, vm86_ar),

	ROW("guest_cs_type", X86_CS, not_vm86, cs_type),
	ROW("guest_ss_type", X86_SS, usable_not_vm86, ss_type),
	ROW("guest_ds_type", X86_DS, usable_not_vm86, data_type),
	ROW("guest_es_type", X86_ES, usable_not_vm86, data_type),
	ROW("guest_fs_type", X86_FS, usable_not_vm86, data_type),
	ROW("guest_gs_type", X86_GS, usable_not_vm86, data_type),

	ROW("guest_cs_s", X86_CS, not_vm86, s_set),
	ROW("guest_ss_s", X86_SS, usable_not_vm86, s_set),
	ROW("guest_ds_s", X86_DS, usable_not_vm86, s_set),
	ROW("guest_es_s", X86_ES, usable_not_vm86, s_set),
	ROW("guest_fs_s", X86_FS, usable_not_vm86, s_set),
	ROW("guest_gs_s", X86_GS, usable_not_vm86, s_set),

	ROW("guest_cs_dpl", X86_CS, not_vm86, cs_dpl),
	ROW("guest_ss_dpl_is_rpl", X86_SS, restricted_not_vm86, ss_dpl_is_rpl),
	ROW("guest_ss_dpl_zero", X86_SS, is_real_or_data_cs, ss_dpl_zero),
	ROW("guest_ds_dpl", X86_DS, usable_restricted_dpl, dpl_covers_rpl),
	ROW("guest_es_dpl", X86_ES, usable_restricted_dpl, dpl_covers_rpl),
	ROW("guest_fs_dpl", X86_FS, usable_restricted_dpl, dpl_covers_rpl),
	ROW("guest_gs_dpl", X86_GS, usable_restricted_dpl, dpl_covers_rpl),

	ROW("guest_cs_present", X86_CS, not_vm86, present),
	ROW("guest_ss_present", X86_SS, usable_not_vm86, present),
	ROW("guest_ds_present", X86_DS, usable_not_vm86, present),
	ROW("guest_es_present", X86_ES, usable_not_vm86, present),
	ROW("guest_fs_present", X86_FS, usable_not_vm86, present),
	ROW("guest_gs_present", X86_GS, usable_not_vm86, present),

	ROW("guest_cs_reserved", X86_CS, not_vm86, reserved_clear),
	ROW("guest_ss_reserved", X86_SS, usable_not_vm86, reserved_clear),
	ROW("guest_ds_reserved", X86_DS, usable_not_vm86, reserved_clear),
	ROW("guest_es_reserved", X86_ES, usable_not_vm86, reserved_clear),
	ROW("guest_fs_reserved", X86_FS, usable_not_vm86, reserved_clear),
	ROW("guest_gs_reserved", X86_GS, usable_not_vm86, reserved_clear),

	ROW("guest_cs_db_or_l", X86_CS, long_not_vm86, cs_db_or_l),

	ROW("guest_cs_granularity", X86_CS, not_vm86, granularity),
	ROW("guest_ss_granularity", X86_SS, usable_not_vm86, granularity),
	ROW("guest_ds_granularity", X86_DS, usable_not_vm86, granularity),
	ROW("guest_es_granularity", X86_ES, usable_not_vm86, granularity),
	ROW("guest_fs_granularity", X86_FS, usable_not_vm86, granularity),
	ROW("guest_gs_granularity", X86_GS, usable_not_vm86, granularity),

	ROW("guest_tr_type", X86_TR, NULL, tr_type),
	ROW("guest_tr_s", X86_TR, NULL, s_clear),
	ROW("guest_tr_present", X86_TR, NULL, present),
	ROW("guest_tr_reserved", X86_TR, NULL, reserved_clear),
	ROW("guest_tr_granularity", X86_TR, NULL, granularity),
	ROW("guest_tr_usable", X86_TR, NULL, usable),

	ROW("guest_ldtr_type", X86_LDTR, usable, ldtr_type),
	ROW("guest_ldtr_s", X86_LDTR, usable, s_clear),
	ROW("guest_ldtr_present", X86_LDTR, usable, present),
	ROW("guest_ldtr_reserved", X86_LDTR, usable, reserved_clear),
	ROW("guest_ldtr_granularity", X86_LDTR, usable, granularity),
};

const unsigned int check_guest_seg_nr_rows = ARRAY_SIZE(check_guest_seg_rows);
