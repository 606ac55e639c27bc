// SPDX-License-Identifier: GPL-2.0-only
/* link: vcpu/smm_map.c */
/* The state-save map: offsets as the manuals and firmware have them, and there and back. */
#include "unit.h"
#include <string.h>
#include <asm/kvm.h>
#include "hw/hw.h"
#include "vcpu/smm_map.h"

static u8 map[SMM_MAP_SIZE];

static u64 at(u32 offset, unsigned int len)
{
	u64 v = 0;

	memcpy(&v, map + (offset - SMM_MAP_OFFSET), len);
	return v;
}

/* A different value everywhere; segment access rights that the map can hold. */
static void fill(struct smm_state *s, u64 mask)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < X86_NR_REGS; i++)
		s->gpr[i] = (0x1111111100000000ull + i * 0x10001) & mask;
	s->rip = 0xffffffff81234567ull & mask;
	s->rflags = 0x246;
	s->cr0 = 0x80050033;
	s->cr3 = 0x1234567000ull & mask;
	s->cr4 = 0x3406f0;
	s->efer = 0xd01 & mask;
	s->dr6 = 0xffff0ff0;
	s->dr7 = 0x400;
	for (i = 0; i < X86_NR_SREGS; i++)
		s->seg[i] = (struct x86_seg){
			.selector = 8 * (i + 1),
			.base = (0xfff8000000000000ull + i) & mask,
			.limit = 0xfff00 + i,
			.ar = 0x8093 + 0x1000 * (i & 1),
		};
	s->seg[X86_LDTR].ar = SEG_AR_UNUSABLE;
	s->gdt = (struct x86_dt){ .base = 0xffff880000001000ull & mask, .limit = 0x7f };
	s->idt = (struct x86_dt){ .base = 0xffff880000002000ull & mask, .limit = 0xfff };
	s->smbase = 0x7ffa0000;
	s->shadow = 2;
	s->halted = true;
}

static void check_same(const struct smm_state *a, const struct smm_state *b)
{
	unsigned int i;

	assert_memory_equal(a->gpr, b->gpr, sizeof(a->gpr));
	assert_int_equal(a->rip, b->rip);
	assert_int_equal(a->rflags, b->rflags);
	assert_int_equal(a->cr0, b->cr0);
	assert_int_equal(a->cr3, b->cr3);
	assert_int_equal(a->cr4, b->cr4);
	assert_int_equal(a->efer, b->efer);
	assert_int_equal(a->dr6, b->dr6);
	assert_int_equal(a->dr7, b->dr7);
	for (i = 0; i < X86_NR_SREGS; i++) {
		assert_int_equal(a->seg[i].selector, b->seg[i].selector);
		assert_int_equal(a->seg[i].base, b->seg[i].base);
		assert_int_equal(a->seg[i].limit, b->seg[i].limit);
		assert_int_equal(a->seg[i].ar, b->seg[i].ar);
	}
	assert_int_equal(a->gdt.base, b->gdt.base);
	assert_int_equal(a->gdt.limit, b->gdt.limit);
	assert_int_equal(a->idt.base, b->idt.base);
	assert_int_equal(a->idt.limit, b->idt.limit);
	assert_int_equal(a->smbase, b->smbase);
	assert_int_equal(a->shadow, b->shadow);
	assert_int_equal(a->halted, b->halted);
}

static void test_amd64_offsets(void **state)
{
	struct smm_state s, back;

	fill(&s, ~0ull);
	memset(map, 0xee, sizeof(map));
	smm_map_save(map, &s, true);
	assert_int_equal(at(0xfe10, 2), s.seg[X86_CS].selector);
	assert_int_equal(at(0xfe12, 2), s.seg[X86_CS].ar);
	assert_int_equal(at(0xfe14, 4), s.seg[X86_CS].limit);
	assert_int_equal(at(0xfe18, 8), s.seg[X86_CS].base);
	assert_int_equal(at(0xfe50, 2), s.seg[X86_GS].selector);
	assert_int_equal(at(0xfe64, 2), s.gdt.limit);
	assert_int_equal(at(0xfe68, 8), s.gdt.base);
	assert_int_equal(at(0xfe72, 2) & SEG_AR_P, 0);
	assert_int_equal(at(0xfe84, 2), s.idt.limit);
	assert_int_equal(at(0xfe90, 2), s.seg[X86_TR].selector);
	assert_int_equal(at(0xfec8, 1), 0); /* no I/O restart */
	assert_int_equal(at(0xfec9, 1), 1);
	assert_int_equal(at(0xfed0, 8), s.efer);
	assert_int_equal(at(0xfefc, 4), 0x20064);
	assert_int_equal(at(0xff00, 4), s.smbase);
	assert_int_equal(at(0xff48, 8), s.cr4);
	assert_int_equal(at(0xff50, 8), s.cr3);
	assert_int_equal(at(0xff58, 8), s.cr0);
	assert_int_equal(at(0xff60, 8), s.dr7);
	assert_int_equal(at(0xff68, 8), s.dr6);
	assert_int_equal(at(0xff70, 8), s.rflags);
	assert_int_equal(at(0xff78, 8), s.rip);
	assert_int_equal(at(0xff80, 8), s.gpr[X86_R15]);
	assert_int_equal(at(0xfff8, 8), s.gpr[X86_RAX]);
	assert_int_equal(at(0xfff0, 8), s.gpr[X86_RCX]);
	assert_int_equal(at(0xff18, 8), 0); /* nothing of what was there before */
	smm_map_restore(&back, map, true);
	check_same(&s, &back);
}

static void test_32bit_offsets(void **state)
{
	struct smm_state s, back;
	unsigned int i;

	fill(&s, 0xffffffff);
	memset(map, 0xee, sizeof(map));
	smm_map_save(map, &s, false);
	assert_int_equal(at(0xfffc, 4), s.cr0);
	assert_int_equal(at(0xfff8, 4), s.cr3);
	assert_int_equal(at(0xfff4, 4), s.rflags);
	assert_int_equal(at(0xfff0, 4), s.rip);
	assert_int_equal(at(0xffec, 4), s.gpr[X86_RDI]);
	assert_int_equal(at(0xffd0, 4), s.gpr[X86_RAX]);
	assert_int_equal(at(0xffcc, 4), s.dr6);
	assert_int_equal(at(0xffc8, 4), s.dr7);
	assert_int_equal(at(0xffc4, 4), s.seg[X86_TR].selector);
	assert_int_equal(at(0xffc0, 4), s.seg[X86_LDTR].selector);
	assert_int_equal(at(0xffbc, 4), s.seg[X86_GS].selector);
	assert_int_equal(at(0xffa8, 4), s.seg[X86_ES].selector);
	assert_int_equal(at(0xff98, 4), s.seg[X86_CS].base);
	assert_int_equal(at(0xff94, 4), s.seg[X86_CS].limit);
	assert_int_equal(at(0xff90, 4), s.seg[X86_CS].ar << 8);
	assert_int_equal(at(0xff74, 4), s.gdt.base);
	assert_int_equal(at(0xff58, 4), s.idt.base);
	assert_int_equal(at(0xff34, 4), s.seg[X86_DS].base);
	assert_int_equal(at(0xff14, 4), s.cr4);
	assert_int_equal(at(0xff02, 2), 1);
	assert_int_equal(at(0xff00, 2), 0); /* no I/O restart */
	assert_int_equal(at(0xfefc, 4), 0x20000);
	assert_int_equal(at(0xfef8, 4), s.smbase);

	/* What the layout does not hold stays. */
	memset(&back, 0, sizeof(back));
	back.efer = s.efer;
	for (i = X86_R8; i < X86_NR_REGS; i++)
		back.gpr[i] = s.gpr[i];
	smm_map_restore(&back, map, false);
	check_same(&s, &back);
}

/* Rubbish in the map comes out as rubbish of the right width, and no more. */
static void test_hostile(void **state)
{
	struct smm_state s;
	unsigned int i;

	memset(map, 0xff, sizeof(map));
	memset(&s, 0, sizeof(s));
	smm_map_restore(&s, map, true);
	for (i = 0; i < X86_NR_SREGS; i++)
		assert_int_equal(s.seg[i].ar & SEG_AR_RESERVED, 0);
	assert_true(s.halted);
	memset(map, 0, sizeof(map));
	smm_map_restore(&s, map, true);
	for (i = 0; i < X86_NR_SREGS; i++)
		assert_int_equal(s.seg[i].ar, SEG_AR_UNUSABLE);
	assert_false(s.halted);
}

/* The KVM API counts the two shadows the other way round than VMX does. */
static void test_shadow(void **state)
{
	assert_int_equal(shadow_to_kvm(INTR_SHADOW_STI), KVM_X86_SHADOW_INT_STI);
	assert_int_equal(shadow_to_kvm(INTR_SHADOW_MOV_SS), KVM_X86_SHADOW_INT_MOV_SS);
	assert_int_equal(shadow_to_kvm(INTR_SHADOW_NMI), 0);
	assert_int_equal(shadow_from_kvm(KVM_X86_SHADOW_INT_STI), INTR_SHADOW_STI);
	assert_int_equal(shadow_from_kvm(KVM_X86_SHADOW_INT_MOV_SS), INTR_SHADOW_MOV_SS);
	assert_int_equal(shadow_from_kvm(0xfc), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_amd64_offsets),
		cmocka_unit_test(test_32bit_offsets),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_shadow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
