// SPDX-License-Identifier: GPL-2.0-only
/* link: irqchip/irqchip.c irqchip/route.c irqchip/lapic.c irqchip/lapic_deliver.c irqchip/lapic_timer.c irqchip/lapic_state.c irqchip/ioapic.c irqchip/pic.c irqchip/pit.c */
/* Messages between local APICs: destinations, delivery modes, shorthands. */
#include "irqchip_harness.h"

/* Who has the vector pending: bit per vCPU; clears it. */
static u64 got(struct vm *vm, u8 vector)
{
	u64 mask = 0;
	unsigned int i;

	for (i = 0; i < vm->nr; i++) {
		unsigned long *irr = vm->v[i]->lapic->irr;

		if (test_bit(vector, irr))
			mask |= 1ull << i;
		clear_bit(vector, irr);
	}
	return mask;
}

static void icr(struct vcpu *v, u32 dest, u32 low)
{
	apic_out(v, APIC_ICR2, dest << 24);
	apic_out(v, APIC_ICR, low);
}

static void x2icr(struct vcpu *v, u32 dest, u32 low)
{
	assert_int_equal(x2_out(v, APIC_ICR, (u64)dest << 32 | low), 0);
}

static void test_physical(void **state)
{
	struct vm *vm = new_vm(4, false);

	icr(vm->v[0], 2, 0x40);
	assert_int_equal(got(vm, 0x40), 0x4);
	icr(vm->v[0], 9, 0x40); /* nobody */
	assert_int_equal(got(vm, 0x40), 0);
	icr(vm->v[0], 0xff, 0x40);
	assert_int_equal(got(vm, 0x40), 0xf);
	/* Who is disabled does not listen. */
	apic_out(vm->v[2], APIC_SPIV, 0xff);
	icr(vm->v[0], 2, 0x40);
	assert_int_equal(got(vm, 0x40), 0);
	assert_int_equal(lapic_set_base(vm->v[3], 0xfee00000, false), 0);
	icr(vm->v[0], 0xff, 0x40);
	assert_int_equal(got(vm, 0x40), 0x3);
	/* An ID that software changed. */
	apic_out(vm->v[1], APIC_ID, 0x77000000);
	icr(vm->v[0], 0x77, 0x40);
	assert_int_equal(got(vm, 0x40), 0x2);
	icr(vm->v[0], 1, 0x40);
	assert_int_equal(got(vm, 0x40), 0);
	free_vm(vm);
}

static void test_logical_flat(void **state)
{
	struct vm *vm = new_vm(4, false);
	unsigned int i;

	for (i = 0; i < 4; i++)
		apic_out(vm->v[i], APIC_LDR, 1u << (24 + i));
	icr(vm->v[0], 0x5, APIC_DEST_LOGICAL | 0x50);
	assert_int_equal(got(vm, 0x50), 0x5);
	icr(vm->v[0], 0xf0, APIC_DEST_LOGICAL | 0x50);
	assert_int_equal(got(vm, 0x50), 0);
	icr(vm->v[0], 0xff, APIC_DEST_LOGICAL | 0x50);
	assert_int_equal(got(vm, 0x50), 0xf);
	free_vm(vm);
}

static void test_logical_cluster(void **state)
{
	struct vm *vm = new_vm(6, false);
	unsigned int i;

	for (i = 0; i < 6; i++) {
		apic_out(vm->v[i], APIC_DFR, APIC_DFR_CLUSTER);
		apic_out(vm->v[i], APIC_LDR, ((i / 4) << 4 | 1u << (i % 4)) << 24);
	}
	icr(vm->v[0], 0x06, APIC_DEST_LOGICAL | 0x50);
	assert_int_equal(got(vm, 0x50), 0x06);
	icr(vm->v[0], 0x13, APIC_DEST_LOGICAL | 0x50);
	assert_int_equal(got(vm, 0x50), 0x30);
	icr(vm->v[0], 0x2f, APIC_DEST_LOGICAL | 0x50);
	assert_int_equal(got(vm, 0x50), 0);
	/* A model that does not exist matches nothing. */
	apic_out(vm->v[1], APIC_DFR, 0x50000000);
	icr(vm->v[0], 0x02, APIC_DEST_LOGICAL | 0x50);
	assert_int_equal(got(vm, 0x50), 0);
	free_vm(vm);
}

static void test_x2apic(void **state)
{
	struct vm *vm = new_vm(36, false);
	unsigned int i;

	for (i = 0; i < 36; i++)
		go_x2apic(vm->v[i]);
	x2icr(vm->v[0], 35, 0x60);
	assert_int_equal(got(vm, 0x60), 1ull << 35);
	x2icr(vm->v[0], 0xff, 0x60); /* not a broadcast in this mode */
	assert_int_equal(got(vm, 0x60), 0);
	x2icr(vm->v[0], 0xffffffff, 0x60);
	assert_int_equal(got(vm, 0x60), (1ull << 36) - 1);
	x2icr(vm->v[0], 0x10000 | 0x8001, APIC_DEST_LOGICAL | 0x60);
	assert_int_equal(got(vm, 0x60), 1ull << 16 | 1ull << 31);
	x2icr(vm->v[0], 0x30001, APIC_DEST_LOGICAL | 0x60);
	assert_int_equal(got(vm, 0x60), 0);
	x2icr(vm->v[0], 0xffffffff, APIC_DEST_LOGICAL | 0x60);
	assert_int_equal(got(vm, 0x60), (1ull << 36) - 1);
	assert_int_equal(x2_out(vm->v[3], APIC_SELF_IPI, 0x61), 0);
	assert_int_equal(got(vm, 0x61), 0x8);
	free_vm(vm);
}

static void test_shorthands(void **state)
{
	struct vm *vm = new_vm(4, false);

	icr(vm->v[1], 0, APIC_DEST_SELF | 0x40);
	assert_int_equal(got(vm, 0x40), 0x2);
	icr(vm->v[1], 0, APIC_DEST_ALLINC | 0x40);
	assert_int_equal(got(vm, 0x40), 0xf);
	icr(vm->v[1], 0, APIC_DEST_ALLBUT | 0x40);
	assert_int_equal(got(vm, 0x40), 0xd);
	icr(vm->v[1], 0, APIC_DEST_ALLBUT | APIC_DM_NMI);
	assert_int_equal(vm->v[0]->nmis, 1);
	assert_int_equal(vm->v[1]->nmis, 0);
	assert_int_equal(vm->v[3]->nmis, 1);
	/* Only fixed interrupts go to oneself. */
	icr(vm->v[1], 0, APIC_DEST_SELF | APIC_DM_INIT);
	assert_int_equal(vm->v[1]->inits, 0);
	free_vm(vm);
}

static void test_nmi_init_sipi(void **state)
{
	struct vm *vm = new_vm(2, false);
	struct vcpu *v = vm->v[1];

	icr(vm->v[0], 1, APIC_DM_NMI);
	assert_int_equal(v->nmis, 1);
	icr(vm->v[0], 1, APIC_DM_INIT | APIC_INT_ASSERT);
	assert_int_equal(v->inits, 1);
	/* INIT level de-assert: nothing. */
	icr(vm->v[0], 1, APIC_DM_INIT | APIC_INT_LEVELTRIG);
	assert_int_equal(v->inits, 1);
	icr(vm->v[0], 1, APIC_DM_INIT | APIC_INT_LEVELTRIG | APIC_INT_ASSERT);
	assert_int_equal(v->inits, 2);
	icr(vm->v[0], 1, APIC_DM_STARTUP | 0x9a);
	assert_int_equal(v->sipis, 1);
	assert_int_equal(v->sipi_vector, 0x9a);
	/* They reach a software-disabled local APIC too; a disabled one is deaf. */
	apic_out(v, APIC_SPIV, 0xff);
	icr(vm->v[0], 1, APIC_DM_NMI);
	assert_int_equal(v->nmis, 2);
	assert_int_equal(lapic_set_base(v, 0xfee00000, false), 0);
	icr(vm->v[0], 1, APIC_DM_NMI);
	assert_int_equal(v->nmis, 2);
	icr(vm->v[0], 1, APIC_DM_SMI);
	assert_int_equal(v->smis, 0);
	icr(vm->v[0], 0, APIC_DM_SMI);
	icr(vm->v[0], 0, APIC_DEST_SELF | APIC_DM_SMI);
	assert_int_equal(vm->v[0]->smis, 2);
	/* Reserved and ExtINT: nothing. */
	icr(vm->v[0], 0, APIC_DM_REMRD);
	icr(vm->v[0], 0, APIC_DM_EXTINT);
	assert_int_equal(vm->v[0]->nmis + vm->v[0]->inits + vm->v[0]->sipis, 0);
	free_vm(vm);
}

static void test_lowest_priority(void **state)
{
	struct vm *vm = new_vm(4, false);
	struct apic_msg m = { .dest = 0xf, .logical = true, .mode = 1, .vector = 0x70 };
	unsigned int i, count[4] = { 0 };

	for (i = 0; i < 4; i++)
		apic_out(vm->v[i], APIC_LDR, 1u << (24 + i));
	/* One at a time, and everyone's turn comes. */
	for (i = 0; i < 8; i++) {
		u64 who;

		assert_int_equal(apic_deliver(vm, &m), 1);
		who = got(vm, 0x70);
		assert_int_equal(__builtin_popcountll(who), 1);
		count[__builtin_ctzll(who)]++;
	}
	for (i = 0; i < 4; i++)
		assert_int_equal(count[i], 2);
	/* The one that is least busy. */
	for (i = 0; i < 4; i++)
		apic_out(vm->v[i], APIC_TASKPRI, i == 2 ? 0 : 0x80);
	assert_int_equal(apic_deliver(vm, &m), 1);
	assert_int_equal(got(vm, 0x70), 0x4);
	apic_out(vm->v[2], APIC_SPIV, 0xff);
	m.dest = 0x4;
	assert_int_equal(apic_deliver(vm, &m), -1);
	free_vm(vm);
}

static void test_results(void **state)
{
	struct vm *vm = new_vm(2, false);
	struct apic_msg m = { .dest = 1, .vector = 0x70 };

	vm->v[1]->events = 0;
	assert_int_equal(apic_deliver(vm, &m), 1);
	assert_int_equal(vm->v[1]->events, 1);
	assert_int_equal(apic_deliver(vm, &m), 0); /* coalesced */
	assert_int_equal(vm->v[1]->events, 1);
	m.dest = 7;
	assert_int_equal(apic_deliver(vm, &m), -1);
	m.dest = 0xff;
	assert_int_equal(apic_deliver(vm, &m), 1); /* one new, one coalesced */
	/* An illegal vector is an error of the receiver. */
	m.vector = 3;
	assert_int_equal(apic_deliver(vm, &m), 0);
	apic_out(vm->v[1], APIC_ESR, 0);
	assert_int_equal(apic_in(vm->v[1], APIC_ESR), APIC_ESR_RECVILL);
	free_vm(vm);
}

static void test_tmr(void **state)
{
	struct vm *vm = new_vm(1, false);
	struct apic_msg m = { .dest = 0, .vector = 0x70, .level = true };

	apic_deliver(vm, &m);
	assert_int_equal(apic_in(vm->v[0], APIC_TMR + 0x30), 1u << 16);
	m.level = false;
	apic_deliver(vm, &m);
	assert_int_equal(apic_in(vm->v[0], APIC_TMR + 0x30), 0);
	free_vm(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_physical),
		cmocka_unit_test(test_logical_flat),
		cmocka_unit_test(test_logical_cluster),
		cmocka_unit_test(test_x2apic),
		cmocka_unit_test(test_shorthands),
		cmocka_unit_test(test_nmi_init_sipi),
		cmocka_unit_test(test_lowest_priority),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_tmr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
