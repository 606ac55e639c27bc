// SPDX-License-Identifier: GPL-2.0-only
/* link: irqchip/irqchip.c irqchip/route.c irqchip/lapic.c irqchip/lapic_deliver.c irqchip/lapic_timer.c irqchip/lapic_state.c irqchip/ioapic.c irqchip/pic.c irqchip/pit.c */
/* The pair of 8259As: initialisation, priorities, EOIs, modes, cascade, virtual wire. */
#include "irqchip_harness.h"

static int line(struct vm *vm, int gsi, int level)
{
	return irq_set(vm, IRQ_SOURCE_USER, gsi, level);
}

static void pulse(struct vm *vm, int gsi)
{
	line(vm, gsi, 1);
	line(vm, gsi, 0);
}

/* As a PC's firmware does: vectors 8 and 0x70, 8086 mode. */
static void init_pic(struct vm *vm, u8 icw4)
{
	outb(vm, 0x20, 0x11);
	outb(vm, 0x21, 0x08);
	outb(vm, 0x21, 0x04);
	outb(vm, 0x21, icw4);
	outb(vm, 0xa0, 0x11);
	outb(vm, 0xa1, 0x70);
	outb(vm, 0xa1, 0x02);
	outb(vm, 0xa1, icw4);
	outb(vm, 0x21, 0);
	outb(vm, 0xa1, 0);
}

static struct vm *pic_vm(u8 icw4)
{
	struct vm *vm = new_vm(1, true);

	apic_out(vm->v[0], APIC_LVT0, 0x700);
	init_pic(vm, icw4);
	return vm;
}

static void test_basic(void **state)
{
	struct vm *vm = pic_vm(1);
	struct vcpu *v = vm->v[0];

	assert_int_equal(take(v), -1);
	v->events = 0;
	assert_int_equal(line(vm, 3, 1), 1);
	assert_true(v->events > 0);
	assert_int_equal(inb(vm, 0x20), 0x08); /* IRR */
	assert_int_equal(lapic_pending_irq(v), 0x0b);
	assert_int_equal(lapic_pending_irq(v), 0x0b); /* looking is not taking */
	assert_int_equal(take(v), 0x0b);
	assert_int_equal(inb(vm, 0x20), 0);
	outb(vm, 0x20, 0x0b);
	assert_int_equal(inb(vm, 0x20), 0x08); /* ISR */
	assert_int_equal(line(vm, 3, 1), 0);   /* no new edge */
	line(vm, 3, 0);
	pulse(vm, 3);
	assert_int_equal(take(v), -1);
	outb(vm, 0x20, 0x20);
	assert_int_equal(take(v), 0x0b);
	outb(vm, 0x20, 0x63); /* specific */
	assert_int_equal(inb(vm, 0x20), 0);
	free_vm(vm);
}

static void test_mask(void **state)
{
	struct vm *vm = pic_vm(1);

	outb(vm, 0x21, 0x08);
	assert_int_equal(inb(vm, 0x21), 0x08);
	assert_int_equal(line(vm, 3, 1), -1);
	assert_int_equal(take(vm->v[0]), -1);
	outb(vm, 0x21, 0);
	assert_int_equal(take(vm->v[0]), 0x0b); /* was remembered */
	free_vm(vm);
}

static void test_priorities(void **state)
{
	struct vm *vm = pic_vm(1);
	struct vcpu *v = vm->v[0];

	pulse(vm, 5);
	pulse(vm, 4);
	pulse(vm, 6);
	assert_int_equal(take(v), 0x0c);
	assert_int_equal(take(v), -1); /* 5 and 6 are lower */
	pulse(vm, 1);
	assert_int_equal(take(v), 0x09); /* nests */
	outb(vm, 0x20, 0x20);
	outb(vm, 0x20, 0x20);
	assert_int_equal(take(v), 0x0d);
	outb(vm, 0x20, 0x20);
	assert_int_equal(take(v), 0x0e);
	outb(vm, 0x20, 0x20);
	outb(vm, 0x20, 0x20); /* nothing in service: no effect */
	free_vm(vm);
}

static void test_rotation(void **state)
{
	struct vm *vm = pic_vm(1);
	struct vcpu *v = vm->v[0];

	outb(vm, 0x20, 0xc3); /* set priority: 3 lowest, 4 highest */
	pulse(vm, 1);
	pulse(vm, 4);
	assert_int_equal(take(v), 0x0c);
	outb(vm, 0x20, 0xa0); /* rotate on non-specific EOI: 4 lowest */
	pulse(vm, 4);
	assert_int_equal(take(v), 0x09);
	outb(vm, 0x20, 0xe1); /* rotate on specific EOI: 1 lowest */
	pulse(vm, 1);
	assert_int_equal(take(v), 0x0c);
	free_vm(vm);
}

static void test_cascade(void **state)
{
	struct vm *vm = pic_vm(1);
	struct vcpu *v = vm->v[0];

	pulse(vm, 10);
	assert_int_equal(inb(vm, 0x20), 0x04);
	assert_int_equal(inb(vm, 0xa0), 0x04);
	assert_int_equal(take(v), 0x72);
	assert_int_equal(inb(vm, 0x20), 0);
	pulse(vm, 9); /* higher on the slave, but the master's input 2 is in service */
	assert_int_equal(take(v), -1);
	outb(vm, 0xa0, 0x20);
	assert_int_equal(take(v), -1);
	outb(vm, 0x20, 0x20);
	assert_int_equal(take(v), 0x71);
	/* Slave masked at the master. */
	outb(vm, 0xa0, 0x20);
	outb(vm, 0x20, 0x20);
	outb(vm, 0x21, 0x04);
	pulse(vm, 12);
	assert_int_equal(take(v), -1);
	/* The cascade input cannot be driven from outside. */
	assert_int_equal(line(vm, 2, 1), -1);
	free_vm(vm);
}

static void test_special_fully_nested(void **state)
{
	struct vm *vm = pic_vm(0x11);
	struct vcpu *v = vm->v[0];

	pulse(vm, 10);
	assert_int_equal(take(v), 0x72);
	pulse(vm, 9);
	assert_int_equal(take(v), 0x71);
	free_vm(vm);
}

static void test_auto_eoi(void **state)
{
	struct vm *vm = pic_vm(3);
	struct vcpu *v = vm->v[0];

	pulse(vm, 3);
	assert_int_equal(take(v), 0x0b);
	outb(vm, 0x20, 0x0b);
	assert_int_equal(inb(vm, 0x20), 0);
	outb(vm, 0x20, 0x80); /* rotate in automatic EOI mode */
	pulse(vm, 3);
	assert_int_equal(take(v), 0x0b);
	pulse(vm, 3);
	pulse(vm, 4);
	assert_int_equal(take(v), 0x0c);
	free_vm(vm);
}

static void test_special_mask(void **state)
{
	struct vm *vm = pic_vm(1);
	struct vcpu *v = vm->v[0];

	pulse(vm, 3);
	assert_int_equal(take(v), 0x0b);
	pulse(vm, 5);
	assert_int_equal(take(v), -1);
	outb(vm, 0x21, 0x08);
	outb(vm, 0x20, 0x68); /* special mask mode: masked ones do not block */
	assert_int_equal(take(v), 0x0d);
	outb(vm, 0x20, 0x65);
	outb(vm, 0x20, 0x48);
	pulse(vm, 5);
	assert_int_equal(take(v), -1);
	free_vm(vm);
}

static void test_poll(void **state)
{
	struct vm *vm = pic_vm(1);

	outb(vm, 0x20, 0x0c);
	assert_int_equal(inb(vm, 0x20), 0); /* nothing there */
	pulse(vm, 3);
	outb(vm, 0x20, 0x0c);
	assert_int_equal(inb(vm, 0x20), 0x83);
	outb(vm, 0x20, 0x0b);
	assert_int_equal(inb(vm, 0x20), 0x08);
	assert_int_equal(take(vm->v[0]), -1);
	free_vm(vm);
}

static void test_level_and_elcr(void **state)
{
	struct vm *vm = pic_vm(1);
	struct vcpu *v = vm->v[0];

	outb(vm, 0x4d0, 0xff);
	outb(vm, 0x4d1, 0xff);
	assert_int_equal(inb(vm, 0x4d0), 0xf8); /* 0-2, 8 and 13 are edges by design */
	assert_int_equal(inb(vm, 0x4d1), 0xde);
	assert_int_equal(line(vm, 5, 1), 1);
	assert_int_equal(line(vm, 5, 1), 0);
	assert_int_equal(take(v), 0x0d);
	outb(vm, 0x20, 0x20);
	assert_int_equal(take(v), 0x0d); /* still up */
	line(vm, 5, 0);
	outb(vm, 0x20, 0x20);
	assert_int_equal(take(v), -1);
	/* A level that goes away before it was taken leaves nothing. */
	line(vm, 5, 1);
	line(vm, 5, 0);
	assert_int_equal(take(v), -1);
	free_vm(vm);
}

static void test_spurious(void **state)
{
	struct vm *vm = pic_vm(1);

	assert_int_equal(pic_inta(vm->ic), 0x0f); /* INTA with nothing to give */
	outb(vm, 0x20, 0x0b);
	assert_int_equal(inb(vm, 0x20), 0);
	free_vm(vm);
}

static void test_icw_without_icw4(void **state)
{
	struct vm *vm = pic_vm(3);

	outb(vm, 0x20, 0x10); /* no ICW4: its functions are cleared */
	outb(vm, 0x21, 0x28);
	outb(vm, 0x21, 0x04);
	outb(vm, 0x21, 0x00);
	pulse(vm, 3);
	assert_int_equal(take(vm->v[0]), 0x2b);
	outb(vm, 0x20, 0x0b);
	assert_int_equal(inb(vm, 0x20), 0x08);
	free_vm(vm);
}

static void test_virtual_wire(void **state)
{
	struct vm *vm = pic_vm(1);
	struct vcpu *v = vm->v[0];

	apic_out(v, APIC_LVT0, 0x10700);
	assert_false(lapic_accepts_pic(v));
	pulse(vm, 3);
	assert_int_equal(take(v), -1);
	v->events = 0;
	apic_out(v, APIC_LVT0, 0x700);
	assert_true(v->events > 0);
	assert_int_equal(take(v), 0x0b);
	outb(vm, 0x20, 0x20);
	apic_out(v, APIC_LVT0, 0x40); /* fixed: not an ExtINT */
	assert_false(lapic_accepts_pic(v));
	/* The task priority does not hold back an ExtINT; the PIC comes before the APIC. */
	apic_out(v, APIC_LVT0, 0x700);
	apic_out(v, APIC_TASKPRI, 0xf0);
	pulse(vm, 3);
	assert_int_equal(take(v), 0x0b);
	outb(vm, 0x20, 0x20);
	apic_out(v, APIC_TASKPRI, 0);
	lapic_self_ipi(v->lapic, 0x90);
	pulse(vm, 4);
	assert_int_equal(take(v), 0x0c);
	assert_int_equal(take(v), 0x90);
	/* With the local APIC disabled INTR is wired through. */
	outb(vm, 0x20, 0x20);
	assert_int_equal(lapic_set_base(v, 0xfee00100, false), 0);
	assert_true(lapic_accepts_pic(v));
	pulse(vm, 4);
	assert_int_equal(take(v), 0x0c);
	free_vm(vm);
}

static void test_state(void **state)
{
	struct vm *vm = pic_vm(1);
	struct kvm_irqchip s = { .chip_id = KVM_IRQCHIP_PIC_MASTER }, t = s;

	pulse(vm, 3);
	take(vm->v[0]);
	pulse(vm, 5);
	line(vm, 6, 1);
	assert_int_equal(irqchip_get_state(vm, &s), 0);
	assert_int_equal(s.chip.pic.irq_base, 8);
	assert_int_equal(s.chip.pic.isr, 0x08);
	assert_int_equal(s.chip.pic.irr, 0x60);
	assert_int_equal(s.chip.pic.last_irr, 0x40);
	init_pic(vm, 1);
	assert_int_equal(irqchip_set_state(vm, &s), 0);
	assert_int_equal(irqchip_get_state(vm, &t), 0);
	assert_memory_equal(&s, &t, sizeof(s));
	outb(vm, 0x20, 0x20);
	assert_int_equal(take(vm->v[0]), 0x0d);
	/* Garbage is harmless. */
	memset(&s.chip, 0xff, sizeof(s.chip));
	assert_int_equal(irqchip_set_state(vm, &s), 0);
	s.chip_id = KVM_IRQCHIP_PIC_SLAVE;
	assert_int_equal(irqchip_set_state(vm, &s), 0);
	take(vm->v[0]);
	init_pic(vm, 1);
	free_vm(vm);
}

static void test_wide_access(void **state)
{
	struct vm *vm = pic_vm(1);

	bus_out(vm, BUS_PIO, 0x20, 0x0b | 0xaa00, 2); /* command and mask in one */
	assert_int_equal(inb(vm, 0x21), 0xaa);
	assert_int_equal(bus_in(vm, BUS_PIO, 0x20, 2), 0xaa00);
	free_vm(vm);
}

static void test_fuzz(void **state)
{
	static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
	struct vm *vm = pic_vm(1);
	u64 seed = 7;
	int i;

	for (i = 0; i < 200000; i++) {
		u64 r = unit_rand(&seed);
		u16 port = ports[(r >> 8) % 6];
		int vector;

		switch (r & 3) {
		case 0:
			outb(vm, port, r >> 16);
			break;
		case 1:
			inb(vm, port);
			break;
		case 2:
			line(vm, r >> 16 & 15, r >> 32 & 1);
			break;
		default:
			vector = take(vm->v[0]);
			assert_true(vector >= -1 && vector < 256);
		}
	}
	free_vm(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_basic),	     cmocka_unit_test(test_mask),
		cmocka_unit_test(test_priorities),   cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_cascade),	     cmocka_unit_test(test_special_fully_nested),
		cmocka_unit_test(test_auto_eoi),     cmocka_unit_test(test_special_mask),
		cmocka_unit_test(test_poll),	     cmocka_unit_test(test_level_and_elcr),
		cmocka_unit_test(test_spurious),     cmocka_unit_test(test_icw_without_icw4),
		cmocka_unit_test(test_virtual_wire), cmocka_unit_test(test_state),
		cmocka_unit_test(test_wide_access),  cmocka_unit_test(test_fuzz),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
