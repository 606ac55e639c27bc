/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMCB as the processor defines it (APM "Layout of VMCB"), and the small
 * helpers that keep its clean bits honest.
 *
 * Used by hw/svm only. The layout is written out here, not taken from
 * <asm/svm.h>, because that header renames members from release to release;
 * the constants (intercept numbers, exit codes) come from there.
 */
#ifndef TURTLES_SVM_VMCB_H
#define TURTLES_SVM_VMCB_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <asm/svm.h>

#define VMCB_INTERCEPT_WORDS 6

/** struct svm_seg - a segment register in the VMCB; attributes packed in 12 bits */
struct svm_seg {
	u16 selector;
	u16 attrib;
	u32 limit;
	u64 base;
} __packed;

/** struct svm_control - control area, APM Table "VMCB Layout, Control Area" */
struct svm_control {
	u32 intercepts[VMCB_INTERCEPT_WORDS]; /* 0x000 */
	u8 reserved_018[0x3c - 0x18];
	u16 pause_filter_thresh; /* 0x03c */
	u16 pause_filter_count;
	u64 iopm_pa; /* 0x040 */
	u64 msrpm_pa;
	u64 tsc_offset; /* 0x050 */
	u32 asid;	/* 0x058 */
	u8 tlb_ctl;
	u8 reserved_05d[3];
	u32 int_ctl; /* 0x060 */
	u32 int_vector;
	u64 int_state; /* 0x068 */
	u64 exit_code; /* 0x070 */
	u64 exit_info_1;
	u64 exit_info_2; /* 0x080 */
	u32 exit_int_info;
	u32 exit_int_info_err;
	u64 nested_ctl; /* 0x090 */
	u64 avic_bar;
	u64 ghcb_gpa; /* 0x0a0 */
	u32 event_inj;
	u32 event_inj_err;
	u64 nested_cr3; /* 0x0b0 */
	u64 virt_ext;
	u32 clean; /* 0x0c0 */
	u32 reserved_0c4;
	u64 next_rip;
	u8 insn_len; /* 0x0d0 */
	u8 insn_bytes[15];
	u8 reserved_0e0[0x400 - 0xe0];
} __packed;

/** struct svm_save - state save area, APM Table "VMCB Layout, State Save Area" */
struct svm_save {
	struct svm_seg es, cs, ss, ds, fs, gs; /* 0x400 */
	struct svm_seg gdtr, ldtr, idtr, tr;   /* 0x460 */
	u8 reserved_4a0[0x4cb - 0x4a0];
	u8 cpl; /* 0x4cb */
	u32 reserved_4cc;
	u64 efer; /* 0x4d0 */
	u8 reserved_4d8[0x548 - 0x4d8];
	u64 cr4; /* 0x548 */
	u64 cr3;
	u64 cr0;
	u64 dr7; /* 0x560 */
	u64 dr6;
	u64 rflags; /* 0x570 */
	u64 rip;
	u8 reserved_580[0x5d8 - 0x580];
	u64 rsp; /* 0x5d8 */
	u64 s_cet, ssp, isst_addr;
	u64 rax;			/* 0x5f8 */
	u64 star, lstar, cstar, sfmask; /* 0x600 */
	u64 kernel_gs_base;		/* 0x620 */
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 cr2; /* 0x640 */
	u8 reserved_648[0x668 - 0x648];
	u64 g_pat; /* 0x668 */
	u64 dbgctl;
	u64 br_from, br_to, last_excp_from, last_excp_to;
	u8 reserved_698[0x6e0 - 0x698];
	u32 spec_ctrl; /* 0x6e0 */
	u8 reserved_6e4[0x1000 - 0x6e4];
} __packed;

/** struct svm_vmcb - one page; its physical address is what VMRUN takes */
struct svm_vmcb {
	struct svm_control c;
	struct svm_save s;
} __packed;

static_assert(offsetof(struct svm_vmcb, c.iopm_pa) == 0x040);
static_assert(offsetof(struct svm_vmcb, c.int_ctl) == 0x060);
static_assert(offsetof(struct svm_vmcb, c.exit_code) == 0x070);
static_assert(offsetof(struct svm_vmcb, c.event_inj) == 0x0a8);
static_assert(offsetof(struct svm_vmcb, c.clean) == 0x0c0);
static_assert(offsetof(struct svm_vmcb, c.insn_len) == 0x0d0);
static_assert(offsetof(struct svm_vmcb, s.gdtr) == 0x460);
static_assert(offsetof(struct svm_vmcb, s.cpl) == 0x4cb);
static_assert(offsetof(struct svm_vmcb, s.efer) == 0x4d0);
static_assert(offsetof(struct svm_vmcb, s.cr4) == 0x548);
static_assert(offsetof(struct svm_vmcb, s.rip) == 0x578);
static_assert(offsetof(struct svm_vmcb, s.rsp) == 0x5d8);
static_assert(offsetof(struct svm_vmcb, s.rax) == 0x5f8);
static_assert(offsetof(struct svm_vmcb, s.cr2) == 0x640);
static_assert(offsetof(struct svm_vmcb, s.g_pat) == 0x668);
static_assert(offsetof(struct svm_vmcb, s.spec_ctrl) == 0x6e0);
static_assert(sizeof(struct svm_vmcb) == 0x1000);

/* VMCB clean field, APM "VMCB Clean Field": a set bit lets the CPU use its cache. */
#define CLEAN_I	   BIT(0) /* intercepts, TSC offset, PAUSE filter */
#define CLEAN_IOPM BIT(1) /* IOPM_BASE, MSRPM_BASE */
#define CLEAN_ASID BIT(2)
#define CLEAN_TPR  BIT(3) /* V_TPR, V_IRQ, V_INTR_*, V_IGN_TPR */
#define CLEAN_NP   BIT(4) /* NCR3, G_PAT, nested control */
#define CLEAN_CRX  BIT(5) /* CR0, CR3, CR4, EFER */
#define CLEAN_DRX  BIT(6) /* DR6, DR7 */
#define CLEAN_DT   BIT(7) /* GDT, IDT */
#define CLEAN_SEG  BIT(8) /* CS, DS, SS, ES, CPL */
#define CLEAN_CR2  BIT(9)
#define CLEAN_LBR  BIT(10)
/* What is unchanged after a run unless somebody says otherwise. */
#define CLEAN_ALL                                                                           \
	(CLEAN_I | CLEAN_IOPM | CLEAN_ASID | CLEAN_TPR | CLEAN_NP | CLEAN_CRX | CLEAN_DRX | \
	 CLEAN_DT | CLEAN_SEG | CLEAN_CR2 | CLEAN_LBR)

/* int_ctl, APM "Virtualizing Interrupts" */
#define INT_CTL_TPR	 0x0fu
#define INT_CTL_IRQ	 BIT(8)
#define INT_CTL_PRIO_MAX (0xfu << 16)
#define INT_CTL_IGN_TPR	 BIT(20)
#define INT_CTL_MASKING	 BIT(24)
#define INT_CTL_WINDOW	 (INT_CTL_IRQ | INT_CTL_PRIO_MAX | INT_CTL_IGN_TPR)

#define INT_STATE_SHADOW BIT(0)
#define NESTED_CTL_NP	 BIT(0)

#define TLB_CTL_NONE	 0
#define TLB_CTL_ALL	 1
#define TLB_CTL_ASID	 3

/* EVENTINJ and EXITINTINFO share one format. */
#define EVT_VECTOR	   0xffu
#define EVT_TYPE	   (7u << 8)
#define EVT_TYPE_INTR	   (0u << 8)
#define EVT_TYPE_NMI	   (2u << 8)
#define EVT_TYPE_EXCEPTION (3u << 8)
#define EVT_TYPE_SOFT	   (4u << 8)
#define EVT_HAS_ERROR	   BIT(11)
#define EVT_VALID	   BIT(31)

static inline void vmcb_dirty(struct svm_vmcb *vmcb, u32 bits)
{
	vmcb->c.clean &= ~bits;
}

static inline bool intercept_test(const u32 *words, int nr)
{
	return words[nr / 32] & BIT(nr % 32);
}

static inline void intercept_set(u32 *words, int nr)
{
	words[nr / 32] |= BIT(nr % 32);
}

static inline void intercept_clear(u32 *words, int nr)
{
	words[nr / 32] &= ~(u32)BIT(nr % 32);
}

static inline void intercept_put(u32 *words, int nr, bool on)
{
	if (on)
		intercept_set(words, nr);
	else
		intercept_clear(words, nr);
}

#endif /* TURTLES_SVM_VMCB_H */
