// SPDX-License-Identifier: GPL-2.0-only
/* link: irqchip/irqchip.c irqchip/route.c irqchip/lapic.c irqchip/lapic_deliver.c irqchip/lapic_timer.c irqchip/lapic_state.c irqchip/ioapic.c irqchip/pic.c irqchip/pit.c */
/* GSI routing and MSIs. */
#include "irqchip_harness.h"

static struct kvm_irq_routing_entry pin(u32 gsi, u32 chip, u32 nr)
{
	struct kvm_irq_routing_entry e = { .gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP };

	e.u.irqchip.irqchip = chip;
	e.u.irqchip.pin = nr;
	return e;
}

static struct kvm_irq_routing_entry msi(u32 gsi, u32 lo, u32 data)
{
	struct kvm_irq_routing_entry e = { .gsi = gsi, .type = KVM_IRQ_ROUTING_MSI };

	e.u.msi.address_lo = lo;
	e.u.msi.data = data;
	return e;
}

static void test_default(void **state)
{
	struct vm *vm = new_vm(1, true);

	assert_true(route_gsi_has_pin(vm->ic, 3, KVM_IRQCHIP_PIC_MASTER, 3));
	assert_true(route_gsi_has_pin(vm->ic, 3, KVM_IRQCHIP_IOAPIC, 3));
	assert_true(route_gsi_has_pin(vm->ic, 12, KVM_IRQCHIP_PIC_SLAVE, 4));
	assert_false(route_gsi_has_pin(vm->ic, 20, KVM_IRQCHIP_PIC_SLAVE, 4));
	assert_true(route_gsi_has_pin(vm->ic, 20, KVM_IRQCHIP_IOAPIC, 20));
	assert_int_equal(irq_set(vm, 0, 24, 1), -1); /* no route */
	assert_int_equal(irq_set(vm, 0, 4096, 1), -EINVAL);
	assert_int_equal(irq_set(vm, 99, 1, 1), -EINVAL);
	free_vm(vm);
}

static void test_msi_route(void **state)
{
	struct vm *vm = new_vm(2, true);
	struct kvm_irq_routing_entry e[] = {
		msi(30, 0xfee01000, 0x44),
		msi(4095, 0xfee0f00c, 0x45), /* logical, redirection hint */
	};

	apic_out(vm->v[0], APIC_LDR, 0x01000000);
	apic_out(vm->v[1], APIC_LDR, 0x02000000);
	assert_int_equal(irq_routing_set(vm, e, 2), 0);
	assert_int_equal(irq_set(vm, 0, 30, 1), 1);
	assert_int_equal(take(vm->v[1]), 0x44);
	assert_int_equal(irq_set(vm, 0, 30, 0), -1); /* only the rise counts */
	assert_int_equal(irq_set(vm, 0, 30, 1), 1);
	assert_int_equal(irq_set(vm, 0, 30, 1), 0);
	assert_int_equal(irq_set(vm, 0, 4095, 1), 1);
	assert_int_equal((take(vm->v[0]) == 0x45) + (take(vm->v[1]) == 0x45), 1);
	assert_int_equal(irq_set(vm, 0, 3, 1), -1); /* the default table is gone */
	free_vm(vm);
}

static void test_two_chips(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct kvm_irq_routing_entry e[] = { pin(0, 0, 0), pin(0, 2, 2) };

	assert_int_equal(irq_routing_set(vm, e, 2), 0);
	outb(vm, 0x21, 0xfe);
	ioapic_out(vm, 0x15, 0);
	ioapic_out(vm, 0x14, 0x33);
	apic_out(vm->v[0], APIC_LVT0, 0x10700);
	assert_int_equal(irq_set(vm, 0, 0, 1), 2); /* both took it */
	assert_int_equal(take(vm->v[0]), 0x33);
	free_vm(vm);
}

static void test_bad_tables(void **state)
{
	struct vm *vm = new_vm(1, true);
	struct kvm_irq_routing_entry e[4];
	struct vm none = {};

#define REFUSED(n) assert_int_equal(irq_routing_set(vm, e, n), -EINVAL)
	e[0] = pin(5, 0, 8);
	REFUSED(1);
	e[0] = pin(5, 2, 24);
	REFUSED(1);
	e[0] = pin(5, 3, 0);
	REFUSED(1);
	e[0] = pin(4096, 0, 0);
	REFUSED(1);
	e[0] = pin(5, 0, 5);
	e[0].type = 0;
	REFUSED(1);
	e[0].type = KVM_IRQ_ROUTING_XEN_EVTCHN;
	REFUSED(1);
	e[0] = msi(5, 0, 0);
	e[0].flags = KVM_MSI_VALID_DEVID;
	REFUSED(1);
	/* One pin per chip, an MSI alone. */
	e[0] = pin(5, 0, 5);
	e[1] = pin(5, 0, 6);
	REFUSED(2);
	e[1] = msi(5, 0, 0);
	REFUSED(2);
	e[0] = msi(5, 0, 0);
	REFUSED(2);
	e[0] = pin(5, 0, 5);
	assert_int_equal(irq_routing_set(vm, e, 4097), -EINVAL);
	/* The old table stays in force. */
	assert_true(route_gsi_has_pin(vm->ic, 5, KVM_IRQCHIP_IOAPIC, 5));
	assert_int_equal(irq_routing_set(vm, NULL, 0), 0);
	assert_int_equal(irq_set(vm, 0, 5, 1), -1);
	assert_int_equal(irq_routing_set(&none, NULL, 0), -ENXIO);
	free_vm(vm);
}

static void test_signal_msi(void **state)
{
	struct vm *vm = new_vm(3, true);
	struct kvm_msi m = { .address_lo = 0xfee02000, .data = 0x61 };
	struct vm none = {};

	assert_int_equal(irq_send_msi(vm, &m), 1);
	assert_int_equal(take(vm->v[2]), 0x61);
	/* Clients pass only the offset in the page, too. */
	m.address_lo = 0x1000;
	assert_int_equal(irq_send_msi(vm, &m), 1);
	assert_int_equal(take(vm->v[1]), 0x61);
	m.address_lo = 0x0;
	m.data = 0x400; /* NMI */
	assert_int_equal(irq_send_msi(vm, &m), 1);
	assert_int_equal(vm->v[0]->nmis, 1);
	m.address_lo = 0xfee09000; /* nobody: blocked */
	assert_int_equal(irq_send_msi(vm, &m), 0);
	m.flags = KVM_MSI_VALID_DEVID;
	assert_int_equal(irq_send_msi(vm, &m), -EINVAL);
	assert_int_equal(irq_send_msi(&none, &m), -ENXIO);
	free_vm(vm);
}

static void test_x2apic_targets(void **state)
{
	struct vm *vm = new_vm(20, true);
	struct kvm_msi m = { .address_lo = 0xfee12000, .data = 0x61 };
	unsigned int i, n = 0;

	for (i = 0; i < 20; i++)
		go_x2apic(vm->v[i]);
	assert_int_equal(irq_send_msi(vm, &m), 1);
	assert_int_equal(take(vm->v[18]), 0x61);
	m.address_lo = 0xfeeff000; /* 8-bit broadcast */
	assert_int_equal(irq_send_msi(vm, &m), 20 - 1 + 1);
	for (i = 0; i < 20; i++)
		n += test_bit(0x61, vm->v[i]->lapic->irr);
	assert_int_equal(n, 20);
	m.address_lo = 0xfee03004; /* logical: cluster 0, members 0 and 1 */
	m.data = 0x62;
	assert_int_equal(irq_send_msi(vm, &m), 2);
	free_vm(vm);
}

/* KVM_CAP_X2APIC_API: destinations of 32 bits, and 0xff as the number that it is. */
static void test_x2apic_api(void **state)
{
	struct kvm_msi m = { .address_hi = 0x100, .address_lo = 0xfee10000, .data = 0x61 };
	struct kvm_irq_routing_entry bad = msi(5, 0xfee00000, 0x61);
	struct vm *vm = new_vm(300, true);
	struct kvm_lapic_state s;
	unsigned int i;

	for (i = 0; i < 300; i++)
		go_x2apic(vm->v[i]);
	assert_int_equal(irq_send_msi(vm, &m), 1);
	assert_int_equal(take(vm->v[0x10]), 0x61); /* not enabled: the high half does not count */
	vm->x2apic_api = KVM_X2APIC_API_USE_32BIT_IDS;
	assert_int_equal(irq_send_msi(vm, &m), 1);
	assert_int_equal(take(vm->v[0x110]), 0x61);
	m.address_hi = 0x101;
	assert_int_equal(irq_send_msi(vm, &m), -EINVAL);
	bad.u.msi.address_hi = 1;
	assert_int_equal(irq_routing_set(vm, &bad, 1), -EINVAL);
	bad.u.msi.address_hi = 0x100;
	assert_int_equal(irq_routing_set(vm, &bad, 1), 0);
	irq_set(vm, 0, 5, 1);
	assert_int_equal(take(vm->v[0x100]), 0x61);

	m.address_hi = 0;
	m.address_lo = 0xfeeff000;
	assert_int_equal(irq_send_msi(vm, &m), 300);
	vm->x2apic_api |= KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
	m.data = 0x62;
	assert_int_equal(irq_send_msi(vm, &m), 1);
	assert_int_equal(take(vm->v[0xff]), 0x62);

	lapic_get_state(vm->v[0x110], &s);
	assert_int_equal(*(u32 *)(s.regs + APIC_ID), 0x110);
	assert_int_equal(lapic_set_state(vm->v[0x110], &s), 0);
	assert_int_equal(lapic_set_state(vm->v[0x111], &s), -EINVAL);
	free_vm(vm);
}

static void test_split(void **state)
{
	struct vm *vm = new_vm(1, false);
	struct vcpu *v = vm->v[0];
	struct kvm_irq_routing_entry e[] = { msi(4, 0xfee00000, 0x8055),
					     msi(30, 0xfee00000, 0x8056) };
	struct kvm_irqchip s = {};

	assert_int_equal(irqchip_create_split(vm, 24, &vm->ic), 0);
	assert_int_equal(irqchip_get_state(vm, &s), -ENXIO);
	assert_int_equal(irq_routing_set(vm, e, 2), 0);
	e[0] = pin(4, 2, 4);
	assert_int_equal(irq_routing_set(vm, e, 1), -EINVAL); /* there is no chip here */
	irq_set(vm, 0, 4, 1);
	assert_int_equal(take(v), 0x55);
	assert_int_equal(lapic_take_user_eoi(v), -1);
	eoi(v);
	assert_int_equal(lapic_take_user_eoi(v), 0x55); /* user space owns the pin */
	assert_int_equal(lapic_take_user_eoi(v), -1);
	irq_set(vm, 0, 30, 1); /* an MSI of its own: nobody waits for the EOI */
	assert_int_equal(take(v), 0x56);
	eoi(v);
	assert_int_equal(lapic_take_user_eoi(v), -1);
	free_vm(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),	   cmocka_unit_test(test_msi_route),
		cmocka_unit_test(test_two_chips),  cmocka_unit_test(test_bad_tables),
		cmocka_unit_test(test_signal_msi), cmocka_unit_test(test_x2apic_targets),
		cmocka_unit_test(test_x2apic_api), cmocka_unit_test(test_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
