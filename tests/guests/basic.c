// SPDX-License-Identifier: GPL-2.0-only
/* The world switch, CPUID, exceptions, port and memory devices. */
#include "lib.h"

static void ud2(void *arg)
{
	(void)arg;
	asm volatile("ud2");
}

static void read_unmapped(void *arg)
{
	(void)*(volatile u8 *)arg;
}

static void bad_cr4(void *arg)
{
	(void)arg;
	WRITE_CR(4, READ_CR(4) | 1ul << 31);
}

static void bad_msr(void *arg)
{
	(void)arg;
	rdmsr(0xdeadbeef);
}

static void ports(void)
{
	static u8 buf[16] = "0123456789abcdef", in[16];
	const void *src = buf;
	void *dst = in;
	u64 n = 4;

	outl(0xf0, 0x12345678);
	check_eq("outl, inl", inl(0xf0), 0x12345678);
	outb(0xf1, 0xab);
	check_eq("outb, inb", inb(0xf1), 0xab);
	check_eq("outb leaves its neighbours", inl(0xf0), 0x1234ab78);
	asm volatile("rep outsl" : "+S"(src), "+c"(n) : "d"((u16)0xf0) : "memory");
	check_eq("rep outsl: count", n, 0);
	check_eq("rep outsl: source", (u64)src, (u64)buf + 16);
	n = 3;
	asm volatile("rep insl" : "+D"(dst), "+c"(n) : "d"((u16)0xf0) : "memory");
	check_eq("rep insl: target", (u64)dst, (u64)in + 12);
	check_eq("rep insl: data", *(u32 *)(in + 8), *(u32 *)(buf + 12));
}

static void device_memory(void)
{
	volatile u8 *m = (volatile u8 *)0xd0000000ul;
	static u8 buf[64];
	const void *src = buf;
	void *dst = (void *)(m + 64);
	u64 n = 64;
	unsigned int i;

	*(volatile u64 *)m = 0x1122334455667788;
	check_eq("mmio: 64-bit", *(volatile u64 *)m, 0x1122334455667788);
	check_eq("mmio: byte", m[3], 0x55);
	*(volatile u16 *)(m + 2) = 0xbeef;
	check_eq("mmio: 16-bit", *(volatile u32 *)m, 0xbeef7788);
	asm volatile("lock orl $0x10000, %0" : "+m"(*(volatile u32 *)m));
	check_eq("mmio: locked or", *(volatile u32 *)m, 0xbeef7788 | 0x10000);
	for (i = 0; i < sizeof(buf); i++)
		buf[i] = (u8)(i * 7);
	asm volatile("rep movsb" : "+S"(src), "+D"(dst), "+c"(n) : : "memory");
	for (i = 0; i < sizeof(buf); i++)
		if (m[64 + i] != buf[i])
			break;
	check_eq("mmio: rep movsb", i, 64);
	n = 8;
	src = (const void *)(m + 64);
	dst = (void *)(m + 256);
	asm volatile("rep movsq" : "+S"(src), "+D"(dst), "+c"(n) : : "memory");
	check_eq("mmio: rep movsq, device to device", *(volatile u64 *)(m + 256 + 56),
		 *(volatile u64 *)(m + 64 + 56));
}

int main(void)
{
	u32 r[4];
	u64 rbx = 0x1234;

	cpuid(0, 0, r);
	check("CPUID leaf 0 has leaves", r[0] >= 1);
	cpuid(0x40000000, 0, r);
	check_eq("CPUID hypervisor signature", r[1], 0x4b4d564b);
	asm volatile("cpuid" : "+b"(rbx) : "a"(1), "c"(0) : "rdx");
	check_eq("CPUID clears the upper halves", rbx >> 32, 0);

	check_eq("#UD", (u64)expect_trap(ud2, 0), 6);
	check_eq("#GP on a reserved CR4 bit", (u64)expect_trap(bad_cr4, 0), 13);
	check_eq("#GP on an unknown MSR", (u64)expect_trap(bad_msr, 0), 13);
	check_eq("#PF", (u64)expect_trap(read_unmapped, (void *)0x7fff00001000ul), 14);
	check_eq("#PF: CR2", last_cr2, 0x7fff00001000ul);
	check_eq("#PF: error code", last_error, 0);

	ports();
	device_memory();
	return fails();
}
