// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest programs: small pieces of 16-bit code that leave the guest in every way, one after the
 * other, then from the start. The segments are flat, so that they reach device memory.
 */
#include <string.h>

#include "fuzz.h"

#define PIECE(...)                                             \
	{                                                      \
		.n = sizeof((const uint8_t[]){ __VA_ARGS__ }), \
		{                                              \
			__VA_ARGS__                            \
		}                                              \
	}

static const struct {
	uint8_t n;
	uint8_t code[12];
} pieces[] = {
	PIECE(0xf4),				   /* hlt */
	PIECE(0xfb, 0xf4),			   /* sti; hlt */
	PIECE(0xfa),				   /* cli */
	PIECE(0xe4, 0x21),			   /* in $0x21, %al */
	PIECE(0xe6, 0x20),			   /* out %al, $0x20 */
	PIECE(0xed),				   /* in (%dx), %ax */
	PIECE(0xee),				   /* out %al, (%dx) */
	PIECE(0xf3, 0x6c),			   /* rep insb */
	PIECE(0x67, 0xf3, 0x6e),		   /* rep outsb (%esi) */
	PIECE(0xf3, 0xa4),			   /* rep movsb */
	PIECE(0x67, 0xf3, 0x66, 0xab),		   /* rep stosl (%edi) */
	PIECE(0x67, 0x8b, 0x07),		   /* mov (%edi), %ax */
	PIECE(0x67, 0x66, 0x89, 0x06),		   /* mov %eax, (%esi) */
	PIECE(0x67, 0xf0, 0x66, 0x0f, 0xb1, 0x0f), /* lock cmpxchg %ecx, (%edi) */
	PIECE(0x67, 0x66, 0xf0, 0x01, 0x07),	   /* lock add %eax, (%edi) */
	PIECE(0x67, 0x0f, 0x11, 0x07),		   /* movups %xmm0, (%edi) */
	PIECE(0x0f, 0x32),			   /* rdmsr */
	PIECE(0x0f, 0x30),			   /* wrmsr */
	PIECE(0x0f, 0xa2),			   /* cpuid */
	PIECE(0x0f, 0x31),			   /* rdtsc */
	PIECE(0x0f, 0x33),			   /* rdpmc */
	PIECE(0x0f, 0x01, 0xc1),		   /* vmcall */
	PIECE(0x0f, 0x01, 0xd9),		   /* vmmcall */
	PIECE(0x0f, 0x01, 0xd1),		   /* xsetbv */
	PIECE(0x0f, 0x01, 0xc8),		   /* monitor */
	PIECE(0x0f, 0x01, 0xc9),		   /* mwait */
	PIECE(0x0f, 0x0b),			   /* ud2 */
	PIECE(0x0f, 0x08),			   /* invd */
	PIECE(0x0f, 0x09),			   /* wbinvd */
	PIECE(0x0f, 0xaa),			   /* rsm */
	PIECE(0xf3, 0x90),			   /* pause */
	PIECE(0xcc),				   /* int3 */
	PIECE(0xcd, 0x80),			   /* int $0x80 */
	PIECE(0xf1),				   /* int1 */
	PIECE(0x9c, 0x80, 0xcd, 0x01, 0x9d),	   /* pushf; or $1, %ch; popf */
	PIECE(0x0f, 0x20, 0xc0),		   /* mov %cr0, %eax */
	PIECE(0x0f, 0x22, 0xc0),		   /* mov %eax, %cr0 */
	PIECE(0x0f, 0x22, 0xd8),		   /* mov %eax, %cr3 */
	PIECE(0x0f, 0x22, 0xe0),		   /* mov %eax, %cr4 */
	PIECE(0x0f, 0x23, 0xf8),		   /* mov %eax, %db7 */
	PIECE(0x0f, 0x21, 0xf0),		   /* mov %db6, %eax */
	PIECE(0x0f, 0x06),			   /* clts */
	PIECE(0x67, 0x0f, 0x01, 0x3f),		   /* invlpg (%edi) */
	PIECE(0x67, 0x0f, 0x01, 0x16),		   /* lgdt (%esi) */
	PIECE(0x67, 0x0f, 0x01, 0x1f),		   /* lidt (%edi) */
	PIECE(0x8e, 0xd8),			   /* mov %ax, %ds */
	PIECE(0x67, 0xf3, 0x0f, 0xc7, 0x37),	   /* vmxon (%edi) */
	PIECE(0x67, 0x0f, 0xc7, 0x37),		   /* vmptrld (%edi) */
	PIECE(0x67, 0x66, 0x0f, 0xc7, 0x36),	   /* vmclear (%esi) */
	PIECE(0x0f, 0x78, 0xc1),		   /* vmread */
	PIECE(0x0f, 0x79, 0xc1),		   /* vmwrite */
	PIECE(0x0f, 0x01, 0xc2),		   /* vmlaunch */
	PIECE(0x0f, 0x01, 0xc4),		   /* vmxoff */
	PIECE(0x67, 0x66, 0x0f, 0x38, 0x80, 0x07), /* invept (%edi), %eax */
	PIECE(0x67, 0x0f, 0xae, 0x07),		   /* fxsave (%edi) */
	PIECE(0x67, 0x0f, 0xc7, 0x0f),		   /* cmpxchg8b (%edi) */
};

static size_t load_register(struct rng *r, uint8_t *at)
{
	uint32_t v = one_in(r, 2) ? odd_msr(r) : (uint32_t)odd_number(r);

	at[0] = 0x66;
	at[1] = 0xb8 + (below(r, 8) & ~4u); /* not ESP */
	memcpy(at + 2, &v, 4);
	return 6;
}

size_t guest_program(struct rng *r, uint8_t *at, size_t room)
{
	size_t len = 0, want = 1 + below(r, 60);

	while (want-- && len + 32 < room) {
		size_t i = below(r, sizeof(pieces) / sizeof(pieces[0]));

		if (one_in(r, 2))
			len += load_register(r, at + len);
		memcpy(at + len, pieces[i].code, pieces[i].n);
		if (one_in(r, 40))
			at[len] ^= 1u << below(r, 8);
		len += pieces[i].n;
	}
	at[len] = 0xe9; /* jmp to the start */
	at[len + 1] = (uint8_t)(0 - (len + 3));
	at[len + 2] = (uint8_t)((0 - (len + 3)) >> 8);
	return len + 3;
}
