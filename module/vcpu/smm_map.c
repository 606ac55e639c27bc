// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two layouts of the state-save map as structs, and the registers to and from them. Called by
 * smm.c. It must not know a vCPU.
 */
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <asm/kvm.h>
#include "hw/hw.h"
#include "vcpu/smm_map.h"

/* Bits 0-15 of the revision: format; bit 16 would be I/O restart, bit 17 is SMBASE relocation. */
#define REVISION_64 0x00020064u
#define REVISION_32 0x00020000u

#define AUTO_HALT   1

struct seg64 {
	u16 selector;
	u16 attrib; /* access rights as in a VMCS, without the unusable bit */
	u32 limit;
	u64 base;
};

struct map64 {
	struct seg64 es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u64 io_rip, io_rcx, io_rsi, io_rdi;
	u32 io_trap;
	u32 shadow; /* reserved in the manual */
	u8 io_restart;
	u8 auto_halt;
	u8 reserved0[6];
	u64 efer;
	u8 svm[24];
	u32 reserved1[3];
	u32 revision;
	u32 smbase;
	u32 reserved2[5];
	u64 ssp;
	u8 svm2[40];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u64 gpr[X86_NR_REGS]; /* the last first */
};

struct seg32 {
	u32 attrib; /* bits 8-23 as in a descriptor's upper half */
	u32 limit;
	u32 base;
};

struct map32 {
	u32 reserved0[62];
	u32 smbase;
	u32 revision;
	u16 io_restart;
	u16 auto_halt;
	u32 io[4];
	u32 cr4;
	u16 reserved1;
	u8 shadow; /* reserved in the manual */
	u8 reserved2[17];
	struct seg32 ds, fs, gs;
	u32 reserved3;
	u32 idt_limit, idt_base;
	struct seg32 tr;
	u32 reserved4[2];
	u32 gdt_limit, gdt_base;
	struct seg32 ldtr, es, cs, ss;
	u32 selector[X86_NR_SREGS]; /* ES CS SS DS FS GS LDTR TR */
	u32 dr7, dr6;
	u32 gpr[8];
	u32 eip, eflags, cr3, cr0;
};

static_assert(sizeof(struct map64) == SMM_MAP_SIZE && sizeof(struct map32) == SMM_MAP_SIZE);
#define AT(type, member, offset) \
	static_assert(offsetof(struct type, member) == (offset)-SMM_MAP_OFFSET)
AT(map64, tr, 0xfe90);
AT(map64, auto_halt, 0xfec9);
AT(map64, efer, 0xfed0);
AT(map64, revision, 0xfefc);
AT(map64, cr4, 0xff48);
AT(map64, gpr, 0xff80);
AT(map32, smbase, 0xfef8);
AT(map32, auto_halt, 0xff02);
AT(map32, cr4, 0xff14);
AT(map32, shadow, 0xff1a);
AT(map32, ds, 0xff2c);
AT(map32, idt_limit, 0xff54);
AT(map32, tr, 0xff5c);
AT(map32, gdt_limit, 0xff70);
AT(map32, ldtr, 0xff78);
AT(map32, es, 0xff84);
AT(map32, selector, 0xffa8);
AT(map32, dr7, 0xffc8);
AT(map32, cr0, 0xfffc);

#define AR_BITS 0xf0ffu

static u16 attrib_of(const struct x86_seg *seg)
{
	/* A segment that cannot be used is one that is not present. */
	return seg->ar & AR_BITS & (seg->ar & SEG_AR_UNUSABLE ? ~SEG_AR_P : ~0u);
}

static u32 ar_of(u32 attrib)
{
	attrib &= AR_BITS;
	return attrib & SEG_AR_P ? attrib : attrib | SEG_AR_UNUSABLE;
}

static void save_seg64(struct seg64 *m, const struct x86_seg *seg)
{
	m->selector = seg->selector;
	m->attrib = attrib_of(seg);
	m->limit = seg->limit;
	m->base = seg->base;
}

static void restore_seg64(struct x86_seg *seg, const struct seg64 *m)
{
	*seg = (struct x86_seg){
		.selector = m->selector,
		.ar = ar_of(m->attrib),
		.limit = m->limit,
		.base = m->base,
	};
}

/* The map's segment registers beside ours. */
#define FOR_SEGS(op, m)                \
	do {                           \
		op(es, X86_ES, m);     \
		op(cs, X86_CS, m);     \
		op(ss, X86_SS, m);     \
		op(ds, X86_DS, m);     \
		op(fs, X86_FS, m);     \
		op(gs, X86_GS, m);     \
		op(ldtr, X86_LDTR, m); \
		op(tr, X86_TR, m);     \
	} while (0)

static void save64(struct map64 *m, const struct smm_state *s)
{
	int i;

#define SAVE(name, nr, m) save_seg64(&(m)->name, &s->seg[nr])
	FOR_SEGS(SAVE, m);
#undef SAVE
	m->gdtr.limit = s->gdt.limit;
	m->gdtr.base = s->gdt.base;
	m->idtr.limit = s->idt.limit;
	m->idtr.base = s->idt.base;
	m->shadow = s->shadow;
	m->auto_halt = s->halted ? AUTO_HALT : 0;
	m->efer = s->efer;
	m->revision = REVISION_64;
	m->smbase = s->smbase;
	m->cr4 = s->cr4;
	m->cr3 = s->cr3;
	m->cr0 = s->cr0;
	m->dr7 = s->dr7;
	m->dr6 = s->dr6;
	m->rflags = s->rflags;
	m->rip = s->rip;
	for (i = 0; i < X86_NR_REGS; i++)
		m->gpr[X86_NR_REGS - 1 - i] = s->gpr[i];
}

static void restore64(struct smm_state *s, const struct map64 *m)
{
	int i;

#define RESTORE(name, nr, m) restore_seg64(&s->seg[nr], &(m)->name)
	FOR_SEGS(RESTORE, m);
#undef RESTORE
	s->gdt = (struct x86_dt){ .base = m->gdtr.base, .limit = m->gdtr.limit };
	s->idt = (struct x86_dt){ .base = m->idtr.base, .limit = m->idtr.limit };
	s->shadow = m->shadow;
	s->halted = m->auto_halt;
	s->efer = m->efer;
	s->smbase = m->smbase;
	s->cr4 = m->cr4;
	s->cr3 = m->cr3;
	s->cr0 = m->cr0;
	s->dr7 = m->dr7;
	s->dr6 = m->dr6;
	s->rflags = m->rflags;
	s->rip = m->rip;
	for (i = 0; i < X86_NR_REGS; i++)
		s->gpr[i] = m->gpr[X86_NR_REGS - 1 - i];
}

/* Where selector[] has a segment register: LDTR before TR. */
static unsigned int selector_slot(enum x86_sreg nr)
{
	return nr == X86_LDTR ? 6 : nr == X86_TR ? 7 : nr;
}

static void save32(struct map32 *m, const struct smm_state *s)
{
	int i;

#define SAVE(name, nr, m)                                                                         \
	((m)->name.attrib = (u32)attrib_of(&s->seg[nr]) << 8, (m)->name.limit = s->seg[nr].limit, \
	 (m)->name.base = s->seg[nr].base, (m)->selector[selector_slot(nr)] = s->seg[nr].selector)
	FOR_SEGS(SAVE, m);
#undef SAVE
	m->gdt_limit = s->gdt.limit;
	m->gdt_base = s->gdt.base;
	m->idt_limit = s->idt.limit;
	m->idt_base = s->idt.base;
	m->shadow = s->shadow;
	m->auto_halt = s->halted ? AUTO_HALT : 0;
	m->revision = REVISION_32;
	m->smbase = s->smbase;
	m->cr4 = s->cr4;
	m->cr3 = s->cr3;
	m->cr0 = s->cr0;
	m->dr7 = s->dr7;
	m->dr6 = s->dr6;
	m->eflags = s->rflags;
	m->eip = s->rip;
	for (i = 0; i < 8; i++)
		m->gpr[i] = s->gpr[i];
}

static void restore32(struct smm_state *s, const struct map32 *m)
{
	int i;

#define RESTORE(name, nr, m)                                   \
	(s->seg[nr] = (struct x86_seg){                        \
		 .selector = (m)->selector[selector_slot(nr)], \
		 .ar = ar_of((m)->name.attrib >> 8),           \
		 .limit = (m)->name.limit,                     \
		 .base = (m)->name.base,                       \
	 })
	FOR_SEGS(RESTORE, m);
#undef RESTORE
	s->gdt = (struct x86_dt){ .base = m->gdt_base, .limit = m->gdt_limit };
	s->idt = (struct x86_dt){ .base = m->idt_base, .limit = m->idt_limit };
	s->shadow = m->shadow;
	s->halted = m->auto_halt & AUTO_HALT;
	s->smbase = m->smbase;
	s->cr4 = m->cr4;
	s->cr3 = m->cr3;
	s->cr0 = m->cr0;
	s->dr7 = m->dr7;
	s->dr6 = m->dr6;
	s->rflags = m->eflags;
	s->rip = m->eip;
	for (i = 0; i < 8; i++)
		s->gpr[i] = m->gpr[i];
}

u8 shadow_to_kvm(u32 shadow)
{
	return (shadow & INTR_SHADOW_MOV_SS ? KVM_X86_SHADOW_INT_MOV_SS : 0) |
	       (shadow & INTR_SHADOW_STI ? KVM_X86_SHADOW_INT_STI : 0);
}

u32 shadow_from_kvm(u8 kvm)
{
	return (kvm & KVM_X86_SHADOW_INT_MOV_SS ? INTR_SHADOW_MOV_SS : 0) |
	       (kvm & KVM_X86_SHADOW_INT_STI ? INTR_SHADOW_STI : 0);
}

/**
 * smm_map_save - fill a state-save map
 * @map:       all of it is written, what is reserved with zeros
 * @s:	       the registers
 * @long_mode: the AMD64 layout
 */
void smm_map_save(void *map, const struct smm_state *s, bool long_mode)
{
	memset(map, 0, SMM_MAP_SIZE);
	if (long_mode)
		save64(map, s);
	else
		save32(map, s);
}

/**
 * smm_map_restore - read a state-save map; hostile
 * @s:	       result, unchecked; what the layout does not hold is left alone
 * @map:       the map
 * @long_mode: the AMD64 layout
 */
void smm_map_restore(struct smm_state *s, const void *map, bool long_mode)
{
	if (long_mode)
		restore64(s, map);
	else
		restore32(s, map);
}
