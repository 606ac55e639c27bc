/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to vcpu/: what its files share and nobody else calls.
 */
#ifndef TURTLES_VCPU_CORE_H
#define TURTLES_VCPU_CORE_H

#include <asm/cpufeature.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "hw/hw.h"
#include "vcpu/vcpu.h"

#define CR0_DEFINED                                                                    \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_NE | \
	 X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)

#define DR6_FIXED    0xfffe0ff0ull /* read as 1; bits 11 and 16 as without BLD and RTM */
#define DR6_RESET    0xffff0ff0ull
#define DR6_WRITABLE 0x0000e00full
#define DR7_FIXED    0x00000400ull
#define DR7_GD	     BIT(13)
#define DR7_ENABLES  0xffull

/* event.c */
bool exc_has_error(u8 vector);
void vcpu_inject_soft(struct vcpu *v, u8 vector, u32 insn_len);
int vcpu_prepare_events(struct vcpu *v);
void vcpu_events_after_exit(struct vcpu *v);
bool vcpu_irq_pending(struct vcpu *v);
bool vcpu_event_queued(const struct vcpu *v);
int vcpu_ack_irq(struct vcpu *v);
bool vcpu_accepts_user_pic(struct vcpu *v);
bool vcpu_wants_user_window(struct vcpu *v);

/* cr.c: PDPTE registers from memory; 0 or 1 (#GP) */
int vcpu_load_pdptrs(struct vcpu *v, u64 cr3);
int vcpu_read_pdptes(struct vcpu *v, u64 gpa, u64 pdpte[4]);
int vcpu_load_pdptes_at(struct vcpu *v, u64 gpa);
u64 vcpu_efer_reserved(struct vcpu *v);

/* exit.c */
int vcpu_handle_exit(struct vcpu *v);
int vcpu_handle_vmcall(struct vcpu *v);
int vcpu_handle_cpuid(struct vcpu *v);

/*
 * CR4.VME and CR4.PVI are left to the emulator. Processors with SVM or VMX have them, QEMU's TCG has
 * not, and hypervisors without unrestricted guest run real mode with them.
 */
static inline bool vcpu_emulates_vme(struct vcpu *v)
{
	return !boot_cpu_has(X86_FEATURE_VME) && (hw->get_cr4(v) & (X86_CR4_VME | X86_CR4_PVI));
}

/* Can the #GP that has just exited be of an instruction that VME or PVI permits? */
static inline bool vcpu_gp_may_be_vme(struct vcpu *v)
{
	return vcpu_emulates_vme(v) && !v->exit.intr_error &&
	       !(v->exit.idt_info & INTR_INFO_VALID_MASK);
}

/* fast.c */
bool vcpu_handle_exit_fast(struct vcpu *v);
struct emul_insn;
bool vcpu_fetch_insn_64(struct vcpu *v, struct emul_insn *insn);

/* emulate.c */
enum exit_completion { EXIT_COMPLETE, EXIT_EMULATE, EXIT_HANDLED };
enum exit_completion vcpu_complete_exit(struct vcpu *v, int *r);
/* Fetch and decode at RIP into v->emul->e: RESUME_GUEST with *ok, or *ok false and the outcome. */
int vcpu_decode(struct vcpu *v, bool *ok);

/* pio.c */
int vcpu_handle_io(struct vcpu *v);
bool vcpu_io_in_kernel(struct vcpu *v);
int vcpu_user_pio(struct vcpu *v, bool in, u16 port, unsigned int size, unsigned int count);
int vcpu_complete_pio(struct vcpu *v);

/* debugreg.c: guest debug registers around an entry, interrupts off */
void vcpu_load_guest_dr(struct vcpu *v);
void vcpu_save_guest_dr(struct vcpu *v);
u64 vcpu_effective_dr7(struct vcpu *v);
void vcpu_start_step(struct vcpu *v);
bool vcpu_user_takes_db(struct vcpu *v);
int vcpu_exit_debug(struct vcpu *v, u32 vector, u64 dr6);

/* halt.c */
bool vcpu_runnable(struct vcpu *v);
bool vcpu_has_work(struct vcpu *v);
int vcpu_block(struct vcpu *v);
int vcpu_halt(struct vcpu *v);
int vcpu_accept_init_sipi(struct vcpu *v);
bool vcpu_take_init(struct vcpu *v);
void vcpu_set_latched_init(struct vcpu *v, bool latched);
void vcpu_set_sipi_vector(struct vcpu *v, u8 vector);
void vcpu_set_sipi_pending(struct vcpu *v);

/* Bits of vcpu.sipi; the low byte is the SIPI's vector. */
#define SIPI_INIT_BIT	 8
#define SIPI_PENDING_BIT 9
#define SIPI_VECTOR	 0xfful

static inline bool vcpu_init_pending(struct vcpu *v)
{
	return READ_ONCE(v->sipi) & BIT(SIPI_INIT_BIT);
}

/* smm.c: enum vcpu_next or -errno */
int vcpu_accept_smi(struct vcpu *v);
int vcpu_rsm(struct vcpu *v);
void vcpu_set_smm(struct vcpu *v, bool on);

/* gva.c */
/* GVA_AGAIN: L1's EPT changed under the walk again and again; have L2 execute it once more. */
enum gva_kind { GVA_OK, GVA_PAGE_FAULT, GVA_NESTED_FAULT, GVA_NO_MEMORY, GVA_AGAIN };

/**
 * struct gva_fault - why an access by linear address failed
 * @gva:      the address
 * @pf_error: page-fault error code (GVA_PAGE_FAULT)
 * @l2gpa:    address whose EPT12 translation failed (GVA_NESTED_FAULT)
 * @qual:     EPT-violation qualification for L1; @misconfig instead of violation
 */
struct gva_fault {
	u64 gva;
	u32 pf_error;
	u64 l2gpa;
	u64 qual;
	bool misconfig;
};

/* Translate with the vCPU's current paging; @access WALK_*; *@gpa is an L1 address. */
enum gva_kind vcpu_translate_gva(struct vcpu *v, u64 gva, u32 access, u64 *gpa,
				 struct gva_fault *f);
/* Read or write memory (not devices) by linear address; may cross pages. */
enum gva_kind vcpu_read_gva(struct vcpu *v, u64 gva, void *buf, unsigned int len, u32 access,
			    struct gva_fault *f);
enum gva_kind vcpu_write_gva(struct vcpu *v, u64 gva, const void *buf, unsigned int len, u32 access,
			     struct gva_fault *f);
/* Raise what @f says: #PF, or the nested exit. RESUME_GUEST, EXIT_TO_USER or -errno. */
int vcpu_raise_gva_fault(struct vcpu *v, enum gva_kind kind, const struct gva_fault *f);

#endif /* TURTLES_VCPU_CORE_H */
