// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's registers, in xAPIC and x2APIC mode, and what the run loop asks of it.
 * Called by the run loop and exit handlers on the vCPU's own thread. How a message finds its
 * local APIC is lapic_deliver.c's business, time is lapic_timer.c's.
 *
 * SDM "Advanced Programmable Interrupt Controller (APIC)" throughout.
 */
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "irqchip/lapic.h"

#define BASE_MODE_BITS (MSR_IA32_APICBASE_ENABLE | X2APIC_ENABLE)

/* Bits of each LVT entry that software can write; 0 = no such entry. */
u32 lapic_lvt_mask(const struct lapic *l, u32 offset)
{
	switch (offset) {
	case APIC_LVTCMCI:
		return l->has_cmci ? APIC_VECTOR_MASK | APIC_LVT_MASKED | APIC_MODE_MASK : 0;
	case APIC_LVTT:
		return APIC_VECTOR_MASK | APIC_LVT_MASKED | LAPIC_TIMER_MODE_MASK;
	case APIC_LVTTHMR:
	case APIC_LVTPC:
		return APIC_VECTOR_MASK | APIC_LVT_MASKED | APIC_MODE_MASK;
	case APIC_LVT0:
	case APIC_LVT1:
		return APIC_VECTOR_MASK | APIC_LVT_MASKED | APIC_MODE_MASK |
		       APIC_LVT_LEVEL_TRIGGER | APIC_INPUT_POLARITY;
	case APIC_LVTERR:
		return APIC_VECTOR_MASK | APIC_LVT_MASKED;
	default:
		return 0;
	}
}

/* SDM "Logical x2APIC ID" */
u32 lapic_x2_ldr(u32 id)
{
	return (id >> 4) << 16 | 1u << (id & 0xf);
}

/* SDM "Task and Processor Priorities" */
u32 lapic_ppr(struct lapic *l)
{
	u32 tpr = lapic_reg(l, APIC_TASKPRI) & 0xff;
	u32 isrv = l->isrv < 0 ? 0 : l->isrv;

	return (tpr & 0xf0) >= (isrv & 0xf0) ? tpr : isrv & 0xf0;
}

/* Something that can unblock an interrupt has happened: have the run loop look again. */
void lapic_update_event(struct lapic *l)
{
	int irr = lapic_highest(l->irr);

	if (irr >= 0 && (u32)(irr & 0xf0) > (lapic_ppr(l) & 0xf0))
		env_event(l->v);
}

/* The IOAPIC is user space's: the run loop will tell it. */
static void split_eoi(struct lapic *l, u8 vector)
{
	set_bit(vector, l->user_eoi);
	env_event(l->v);
}

/* SDM "Signaling Interrupt Servicing Completion" */
void lapic_eoi(struct lapic *l)
{
	int vector = l->isrv;
	struct irqchip *ic;

	/* An EOI by the book although it could have been skipped: the permission was for it. */
	if (unlikely(l->pv_eoi_armed))
		lapic_withdraw_pv_eoi(l);
	if (vector < 0)
		return;
	__clear_bit(vector, l->isr);
	l->isrv = lapic_highest(l->isr);
	if (unlikely(l->synth) && test_bit(vector, l->synth->vectors))
		env_synth_eoi(l->v, vector);
	ic = env_irqchip(l->vm);
	if (ic) {
		bool level = test_bit(vector, l->tmr);

		if (!ic->split)
			ioapic_eoi(ic, vector, level);
		else if (level && route_split_eoi(ic, vector))
			split_eoi(l, vector);
	}
	lapic_update_event(l);
}

/* LVT Timer to LVT Error are neighbours, LVT CMCI is not. */
static void mask_lvt(struct lapic *l)
{
	u32 offset;

	for (offset = APIC_LVTT; offset <= APIC_LVTERR; offset += 0x10)
		lapic_put(l, offset, lapic_reg(l, offset) | APIC_LVT_MASKED);
	if (l->has_cmci)
		lapic_put(l, APIC_LVTCMCI, lapic_reg(l, APIC_LVTCMCI) | APIC_LVT_MASKED);
}

static void set_spiv(struct lapic *l, u32 val)
{
	lapic_put(l, APIC_SPIV,
		  val & (APIC_VECTOR_MASK | APIC_SPIV_APIC_ENABLED | APIC_SPIV_FOCUS_DISABLED));
	if (val & APIC_SPIV_APIC_ENABLED) {
		lapic_update_event(l);
		return;
	}
	mask_lvt(l);
}

static void set_lvt(struct lapic *l, u32 offset, u32 val)
{
	val &= lapic_lvt_mask(l, offset);
	if (!lapic_sw_on(l))
		val |= APIC_LVT_MASKED;
	if (offset == APIC_LVTT) {
		lapic_timer_set_lvtt(l, val);
		return;
	}
	lapic_put(l, offset, val);
	/* Virtual wire opened while the PIC already asserts INTR. */
	if (offset == APIC_LVT0 && lapic_accepts_pic(l->v)) {
		struct irqchip *ic = env_irqchip(l->vm);

		if (ic && pic_pending(ic))
			env_event(l->v);
	}
}

/* Registers that exist in both modes; false: no such (or a read-only) register. */
static bool write_reg(struct lapic *l, u32 offset, u32 val)
{
	switch (offset) {
	case APIC_TASKPRI:
		lapic_put(l, offset, val & 0xff);
		lapic_update_event(l);
		return true;
	case APIC_EOI:
		lapic_eoi(l);
		return true;
	case APIC_SPIV:
		set_spiv(l, val);
		return true;
	case APIC_ESR:
		/* The write makes the errors collected since the last one visible. */
		lapic_put(l, APIC_ESR, (u32)l->esr);
		l->esr = 0;
		return true;
	case APIC_TMICT:
		lapic_timer_set_count(l, val);
		return true;
	case APIC_TDCR:
		lapic_timer_set_divide(l, val & 0xb);
		return true;
	default:
		if (!lapic_lvt_mask(l, offset))
			return false;
		set_lvt(l, offset, val);
		return true;
	}
}

static bool write_xapic(struct lapic *l, u32 offset, u32 val)
{
	switch (offset) {
	case APIC_ID:
		lapic_put(l, APIC_ID, val & 0xff000000);
		return true;
	case APIC_LDR:
		lapic_put(l, APIC_LDR, val & APIC_LDR_MASK);
		return true;
	case APIC_DFR:
		lapic_put(l, APIC_DFR, val | 0x0fffffff);
		return true;
	case APIC_ICR:
		/* Delivery is instantaneous: the busy bit is never seen set. */
		lapic_put(l, APIC_ICR, val & ~APIC_ICR_BUSY);
		lapic_send_ipi(l, val, lapic_reg(l, APIC_ICR2) >> 24);
		return true;
	case APIC_ICR2:
		lapic_put(l, APIC_ICR2, val & 0xff000000);
		return true;
	default:
		return write_reg(l, offset, val);
	}
}

static u32 bitmap_reg(const unsigned long *map, u32 index)
{
	return (u32)(READ_ONCE(map[index / 2]) >> (32 * (index & 1)));
}

/* False: the register does not exist or cannot be read. */
static bool read_reg(struct lapic *l, u32 offset, u32 *val)
{
	switch (offset) {
	case APIC_ID:
	case APIC_LVR:
	case APIC_TASKPRI:
	case APIC_LDR:
	case APIC_SPIV:
	case APIC_ESR:
	case APIC_ICR:
	case APIC_LVTT ... APIC_LVTERR:
	case APIC_TMICT:
	case APIC_TDCR:
		if (offset & 0xf)
			return false;
		*val = lapic_reg(l, offset);
		return true;
	case APIC_LVTCMCI:
		*val = lapic_reg(l, offset);
		return l->has_cmci;
	case APIC_PROCPRI:
		*val = lapic_ppr(l);
		return true;
	case APIC_TMCCT:
		*val = lapic_timer_count(l);
		return true;
	case APIC_ISR ... APIC_ISR + 0x70:
		*val = bitmap_reg(l->isr, (offset - APIC_ISR) >> 4);
		return true;
	case APIC_TMR ... APIC_TMR + 0x70:
		*val = bitmap_reg(l->tmr, (offset - APIC_TMR) >> 4);
		return true;
	case APIC_IRR ... APIC_IRR + 0x70:
		*val = bitmap_reg(l->irr, (offset - APIC_IRR) >> 4);
		return true;
	default:
		return false;
	}
}

static bool read_xapic(struct lapic *l, u32 offset, u32 *val)
{
	switch (offset) {
	case APIC_ARBPRI:
		*val = lapic_ppr(l);
		return true;
	case APIC_RRR:
	case APIC_EOI:
		*val = 0;
		return true;
	case APIC_DFR:
	case APIC_ICR2:
		*val = lapic_reg(l, offset);
		return true;
	default:
		return read_reg(l, offset, val);
	}
}

/* The offset inside the APIC page, or -1 when the page is not there (any more). */
static long mmio_offset(struct lapic *l, u64 gpa)
{
	u64 base = lapic_base(l);

	if (!lapic_hw_on(base) || lapic_is_x2(base))
		return -1;
	if ((base ^ gpa) & ~0xfffull)
		return -1;
	return gpa & 0xfff;
}

/**
 * lapic_mmio_read - load from the APIC page
 * Accesses that do not stay inside the low four bytes of a register are undefined by
 * the SDM; they read as zero and count as an illegal register address.
 */
int lapic_mmio_read(struct vcpu *v, u64 gpa, int len, void *val)
{
	struct lapic *l = env_lapic(v);
	long offset = l ? mmio_offset(l, gpa) : -1;
	u32 reg = 0;

	if (offset < 0 || len < 1 || len > 8)
		return -EOPNOTSUPP;
	memset(val, 0, len);
	if ((offset & 0xf) + len > 4 || !read_xapic(l, offset & ~0xfl, &reg)) {
		lapic_error(l, APIC_ESR_ILLREGA);
		return 0;
	}
	reg >>= 8 * (offset & 3);
	memcpy(val, &reg, len);
	return 0;
}

/** lapic_mmio_write - store to the APIC page; only aligned 32-bit stores have an effect */
int lapic_mmio_write(struct vcpu *v, u64 gpa, int len, const void *val)
{
	struct lapic *l = env_lapic(v);
	long offset = l ? mmio_offset(l, gpa) : -1;
	u32 reg;

	if (offset < 0 || len < 1 || len > 8)
		return -EOPNOTSUPP;
	if (len != 4 || (offset & 0xf))
		return 0;
	memcpy(&reg, val, 4);
	if (!write_xapic(l, offset, reg))
		lapic_error(l, APIC_ESR_ILLREGA);
	return 0;
}

/** lapic_msr_read - RDMSR of 0x800-0x8ff and IA32_TSC_DEADLINE: 0, or 1 = #GP */
int lapic_msr_read(struct vcpu *v, u32 index, u64 *val)
{
	struct lapic *l = env_lapic(v);
	u32 offset = (index - APIC_BASE_MSR) << 4;
	u32 reg;

	if (!l)
		return 1;
	if (index == MSR_IA32_TSC_DEADLINE) {
		if (!env_has_tsc_deadline(v))
			return 1;
		lapic_service_timer(v);
		*val = lapic_get_tsc_deadline(v);
		return 0;
	}
	if (!lapic_is_x2(lapic_base(l)))
		return 1;
	if (offset == APIC_ICR) {
		*val = lapic_reg(l, APIC_ICR) | (u64)lapic_reg(l, APIC_ICR2) << 32;
		return 0;
	}
	if (offset >= KVM_APIC_REG_SIZE || !read_reg(l, offset, &reg))
		return 1;
	*val = reg;
	return 0;
}

/** lapic_msr_write - WRMSR of the same: 0, or 1 = #GP; the hot ones come first */
int lapic_msr_write(struct vcpu *v, u32 index, u64 val)
{
	struct lapic *l = env_lapic(v);
	u32 offset = (index - APIC_BASE_MSR) << 4;

	if (!l)
		return 1;
	if (index == MSR_IA32_TSC_DEADLINE) {
		if (!env_has_tsc_deadline(v))
			return 1;
		lapic_set_tsc_deadline(v, val);
		return 0;
	}
	if (!lapic_is_x2(lapic_base(l)))
		return 1;
	if (offset == APIC_ICR) {
		lapic_put(l, APIC_ICR, (u32)val & ~APIC_ICR_BUSY);
		lapic_put(l, APIC_ICR2, val >> 32);
		lapic_send_ipi(l, (u32)val, val >> 32);
		return 0;
	}
	if (val >> 32 || offset >= KVM_APIC_REG_SIZE)
		return 1;
	switch (offset) {
	case APIC_EOI:
	case APIC_ESR:
		if (val)
			return 1;
		break;
	case APIC_TASKPRI:
		if (val & ~0xffull)
			return 1;
		break;
	case APIC_SELF_IPI:
		if (val & ~0xffull)
			return 1;
		lapic_self_ipi(l, val);
		return 0;
	default:
		break;
	}
	return !write_reg(l, offset, val);
}

u64 lapic_get_cr8(struct vcpu *v)
{
	return lapic_reg(env_lapic(v), APIC_TASKPRI) >> 4 & 0xf;
}

void lapic_set_cr8(struct vcpu *v, u64 cr8)
{
	struct lapic *l = env_lapic(v);

	lapic_put(l, APIC_TASKPRI, (cr8 & 0xf) << 4);
	lapic_update_event(l);
}

u32 lapic_tpr_word(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);
	int irr = lapic_highest(l->irr);
	u32 isr = l->isrv < 0 ? 0 : l->isrv & 0xf0;

	return (lapic_reg(l, APIC_TASKPRI) & 0xff) | isr << 8 | (irr < 0 ? 0 : (u32)irr << 24);
}

void lapic_set_tpr(struct vcpu *v, u8 tpr)
{
	struct lapic *l = env_lapic(v);

	lapic_put(l, APIC_TASKPRI, tpr);
	lapic_update_event(l);
}

u32 lapic_tpr_threshold(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);
	int irr = lapic_highest(l->irr);
	u32 tpr;

	if (irr < 0)
		return 0;
	tpr = lapic_reg(l, APIC_TASKPRI) >> 4 & 0xf;
	return tpr >= (u32)irr >> 4 ? irr >> 4 : 0;
}

bool lapic_sw_enabled(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);

	return l && lapic_hw_on(lapic_base(l)) && lapic_sw_on(l);
}

/** lapic_set_cmci - there is an LVT CMCI from now on, masked, or none any more */
void lapic_set_cmci(struct vcpu *v, bool there)
{
	struct lapic *l = env_lapic(v);

	if (!l || l->has_cmci == there)
		return;
	l->has_cmci = there;
	lapic_put(l, APIC_LVTCMCI, there ? APIC_LVT_MASKED : 0);
	lapic_put(l, APIC_LVR, lapic_version(l));
}

/** lapic_accepts_pic - does the PIC's INTR reach this processor (virtual wire mode)? */
bool lapic_accepts_pic(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);
	u32 lvt0;

	if (!l || !lapic_hw_on(lapic_base(l)))
		return true;
	lvt0 = lapic_reg(l, APIC_LVT0);
	return !(lvt0 & APIC_LVT_MASKED) && GET_APIC_DELIVERY_MODE(lvt0) == APIC_MODE_EXTINT;
}

static int apic_candidate(struct lapic *l)
{
	int irr = lapic_highest(l->irr);

	if (irr < 0 || (u32)(irr & 0xf0) <= (lapic_ppr(l) & 0xf0))
		return -1;
	/* A software-disabled local APIC holds what it has but delivers nothing fixed. */
	if (!lapic_hw_on(lapic_base(l)) || !lapic_sw_on(l))
		return -1;
	return irr;
}

int lapic_pending_irq(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);
	struct irqchip *ic = env_irqchip(l->vm);

	if (READ_ONCE(l->timer.pending))
		lapic_service_timer(v);
	if (ic && pic_pending(ic) && lapic_accepts_pic(v))
		return pic_peek(ic);
	return apic_candidate(l);
}

int lapic_ack_irq(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);
	struct irqchip *ic = env_irqchip(l->vm);
	int vector;

	if (ic && pic_pending(ic) && lapic_accepts_pic(v))
		return pic_inta(ic);
	vector = apic_candidate(l);
	if (vector < 0)
		return -1;
	clear_bit(vector, l->irr);
	if (unlikely(l->synth) && test_bit(vector, l->synth->auto_eoi)) {
		/* Nothing is in service, so the next one may be due at once. */
		lapic_update_event(l);
		return vector;
	}
	__set_bit(vector, l->isr);
	l->isrv = vector;
	return vector;
}

/** lapic_set_synth - have some vectors belong to a synthetic interrupt controller */
void lapic_set_synth(struct vcpu *v, const struct lapic_synth *synth)
{
	env_lapic(v)->synth = synth;
}

int lapic_reg_read(struct vcpu *v, u32 offset, u64 *val)
{
	struct lapic *l = env_lapic(v);

	switch (offset) {
	case APIC_ICR:
		*val = lapic_reg(l, APIC_ICR) | (u64)lapic_reg(l, APIC_ICR2) << 32;
		return 0;
	case APIC_TASKPRI:
		*val = lapic_reg(l, APIC_TASKPRI);
		return 0;
	default: /* EOI is write-only */
		return 1;
	}
}

int lapic_reg_write(struct vcpu *v, u32 offset, u64 val)
{
	struct lapic *l = env_lapic(v);
	bool x2 = lapic_is_x2(lapic_base(l));

	if (offset == APIC_ICR) {
		lapic_put(l, APIC_ICR, (u32)val & ~APIC_ICR_BUSY);
		lapic_put(l, APIC_ICR2, x2 ? val >> 32 : val >> 32 & 0xff000000);
		lapic_send_ipi(l, (u32)val, x2 ? val >> 32 : val >> 56);
		return 0;
	}
	return !write_reg(l, offset, (u32)val);
}

/* What RESET and a disable through IA32_APIC_BASE do; @init keeps the ID. */
static void reset_regs(struct lapic *l, bool init)
{
	u32 id = lapic_reg(l, APIC_ID);
	u32 offset;

	lapic_timer_reset(l);
	for (offset = 0; offset < KVM_APIC_REG_SIZE; offset += 0x10)
		lapic_put(l, offset, 0);
	lapic_put(l, APIC_ID, init ? id : l->id << 24);
	lapic_put(l, APIC_LVR, lapic_version(l));
	lapic_put(l, APIC_DFR, APIC_DFR_FLAT);
	lapic_put(l, APIC_SPIV, 0xff);
	mask_lvt(l);
	if (lapic_is_x2(lapic_base(l))) {
		lapic_put(l, APIC_ID, l->id);
		lapic_put(l, APIC_LDR, lapic_x2_ldr(l->id));
	}
	l->divide = 2;
	l->isrv = -1;
	l->esr = 0;
	l->pv_eoi_armed = false;
	for (offset = 0; offset < LAPIC_VECTOR_WORDS; offset++) {
		WRITE_ONCE(l->irr[offset], 0);
		WRITE_ONCE(l->tmr[offset], 0);
		l->isr[offset] = 0;
		l->user_eoi[offset] = 0;
	}
}

/**
 * lapic_reset - RESET (@init false) or INIT of the local APIC
 * The boot processor comes up with LINT0 as ExtINT: firmware does that first thing on
 * real machines, and KVM's clients rely on finding it so unless they switch
 * KVM_X86_QUIRK_LINT0_REENABLED off.
 */
void lapic_reset(struct vcpu *v, bool init)
{
	struct lapic *l = env_lapic(v);
	u64 *base = env_apic_base(v);

	if (!init) {
		WRITE_ONCE(*base, APIC_DEFAULT_PHYS_BASE | MSR_IA32_APICBASE_ENABLE |
					  (env_is_bsp(v) ? MSR_IA32_APICBASE_BSP : 0));
	}
	if (!l)
		return;
	l->pv_eoi_msr = 0;
	reset_regs(l, init);
	if (env_is_bsp(v) && env_lint0_extint(l->vm))
		lapic_put(l, APIC_LVT0, SET_APIC_DELIVERY_MODE(0, APIC_MODE_EXTINT));
}

static void change_mode(struct lapic *l, u64 old, u64 new)
{
	u64 changed = old ^ new;

	if ((changed & MSR_IA32_APICBASE_ENABLE) && !(new &MSR_IA32_APICBASE_ENABLE))
		reset_regs(l, true);
	if (!(changed & BASE_MODE_BITS))
		return;
	if (lapic_is_x2(new)) {
		lapic_put(l, APIC_ID, l->id);
		lapic_put(l, APIC_LDR, lapic_x2_ldr(l->id));
	} else if (lapic_hw_on(new)) {
		lapic_put(l, APIC_ID, l->id << 24);
		lapic_put(l, APIC_LDR, 0);
		lapic_put(l, APIC_DFR, APIC_DFR_FLAT);
	}
	env_event(l->v);
}

/**
 * lapic_set_base - write IA32_APIC_BASE: 0, or 1 = #GP
 * The caller has checked the address against MAXPHYADDR. SDM "x2APIC State Transitions".
 */
int lapic_set_base(struct vcpu *v, u64 val, bool host)
{
	struct lapic *l = env_lapic(v);
	u64 *base = env_apic_base(v);
	u64 old = READ_ONCE(*base);
	u64 om = old & BASE_MODE_BITS, nm = val & BASE_MODE_BITS;

	if (val & (0xff | BIT(9)))
		return 1;
	if (nm == X2APIC_ENABLE)
		return 1;
	if ((nm & X2APIC_ENABLE) && !host && !env_has_x2apic(v))
		return 1;
	if (!host) {
		if (om == BASE_MODE_BITS && nm == MSR_IA32_APICBASE_ENABLE)
			return 1;
		if (!om && nm == BASE_MODE_BITS)
			return 1;
	}
	WRITE_ONCE(*base, val);
	if (l)
		change_mode(l, old, val);
	return 0;
}

int lapic_create(struct vcpu *v)
{
	struct lapic *l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);
	int err;

	if (!l)
		return -ENOMEM;
	l->v = v;
	l->vm = env_vm(v);
	l->id = env_vcpu_id(v);
	l->isrv = -1;
	l->divide = 2;
	err = lapic_timer_create(l);
	if (err) {
		kfree(l);
		return err;
	}
	env_set_lapic(v, l);
	lapic_reset(v, false);
	return 0;
}

void lapic_free(struct vcpu *v)
{
	struct lapic *l = env_lapic(v);

	if (!l)
		return;
	lapic_timer_free(l);
	env_set_lapic(v, NULL);
	kfree(l);
}
