// SPDX-License-Identifier: GPL-2.0-only
/* Integer arithmetic with its flags; see alu.h. SDM "EFLAGS Register". */
#include "emul/alu.h"
#include "emul/emul_int.h"

static void set_flag(u64 *flags, u64 flag, bool on)
{
	*flags = on ? *flags | flag : *flags & ~flag;
}

/* Even number of ones in the low byte. */
static bool parity_even(u64 v)
{
	v ^= v >> 4;
	v ^= v >> 2;
	v ^= v >> 1;
	return !(v & 1);
}

void alu_zsp(u64 res, unsigned int bytes, u64 *flags)
{
	res &= size_mask(bytes);
	set_flag(flags, X86_EFLAGS_ZF, !res);
	set_flag(flags, X86_EFLAGS_SF, res & sign_bit(bytes));
	set_flag(flags, X86_EFLAGS_PF, parity_even(res & 0xff));
}

void alu_logic_flags(u64 res, unsigned int bytes, u64 *flags)
{
	*flags &= ~(u64)(X86_EFLAGS_CF | X86_EFLAGS_OF | X86_EFLAGS_AF);
	alu_zsp(res, bytes, flags);
}

u64 alu_add(u64 a, u64 b, bool carry, unsigned int bytes, u64 *flags)
{
	u64 mask = size_mask(bytes);
	u64 res, carries;

	a &= mask;
	b &= mask;
	res = (a + b + carry) & mask;
	/* Carry out of every bit position. */
	carries = (a & b) | ((a | b) & ~res);
	set_flag(flags, X86_EFLAGS_CF, carries & sign_bit(bytes));
	set_flag(flags, X86_EFLAGS_AF, carries & 8);
	set_flag(flags, X86_EFLAGS_OF, (a ^ res) & (b ^ res) & sign_bit(bytes));
	alu_zsp(res, bytes, flags);
	return res;
}

u64 alu_sub(u64 a, u64 b, bool borrow, unsigned int bytes, u64 *flags)
{
	u64 mask = size_mask(bytes);
	u64 res, borrows;

	a &= mask;
	b &= mask;
	res = (a - b - borrow) & mask;
	borrows = (~a & b) | ((~a | b) & res);
	set_flag(flags, X86_EFLAGS_CF, borrows & sign_bit(bytes));
	set_flag(flags, X86_EFLAGS_AF, borrows & 8);
	set_flag(flags, X86_EFLAGS_OF, (a ^ b) & (a ^ res) & sign_bit(bytes));
	alu_zsp(res, bytes, flags);
	return res;
}

/* ROL and ROR; @count is not 0. */
static u64 rotate(bool left, u64 a, unsigned int count, unsigned int bytes, u64 *flags)
{
	unsigned int bits = bytes * 8;
	unsigned int n = count % bits;
	u64 res = a, top = sign_bit(bytes);

	if (!left)
		n = (bits - n) % bits;
	if (n)
		res = ((a << n) | (a >> (bits - n))) & size_mask(bytes);
	if (left) {
		set_flag(flags, X86_EFLAGS_CF, res & 1);
		set_flag(flags, X86_EFLAGS_OF, !(res & top) != !(res & 1));
	} else {
		set_flag(flags, X86_EFLAGS_CF, res & top);
		set_flag(flags, X86_EFLAGS_OF, !(res & top) != !(res & (top >> 1)));
	}
	return res;
}

/* RCL and RCR, one bit at a time: at most 63 rounds. */
static u64 rotate_carry(bool left, u64 a, unsigned int count, unsigned int bytes, u64 *flags)
{
	u64 top = sign_bit(bytes);
	bool cf = *flags & X86_EFLAGS_CF;
	bool out;

	for (count %= bytes * 8 + 1; count; count--) {
		if (left) {
			out = a & top;
			a = ((a << 1) | cf) & size_mask(bytes);
			set_flag(flags, X86_EFLAGS_OF, !(a & top) != !out);
		} else {
			set_flag(flags, X86_EFLAGS_OF, !(a & top) != !cf);
			out = a & 1;
			a = (a >> 1) | (cf ? top : 0);
		}
		cf = out;
	}
	set_flag(flags, X86_EFLAGS_CF, cf);
	return a;
}

static u64 shift_left(u64 a, unsigned int count, unsigned int bytes, u64 *flags)
{
	unsigned int bits = bytes * 8;
	u64 res = count < bits ? (a << count) & size_mask(bytes) : 0;
	bool cf = count <= bits && ((a >> (bits - count)) & 1);

	set_flag(flags, X86_EFLAGS_CF, cf);
	set_flag(flags, X86_EFLAGS_OF, !(res & sign_bit(bytes)) != !cf);
	return res;
}

static u64 shift_right(bool arith, u64 a, unsigned int count, unsigned int bytes, u64 *flags)
{
	unsigned int bits = bytes * 8;
	u64 top = a & sign_bit(bytes);
	u64 wide = arith ? sign_extend_bytes(a, bytes) : a;
	u64 res;

	if (count > bits)
		count = bits;
	/* Shifted in two steps, because a shift by 64 is not defined in C. */
	if (arith) {
		wide = (u64)((s64)wide >> (count - 1));
		res = (u64)((s64)wide >> 1);
	} else {
		wide >>= count - 1;
		res = wide >> 1;
	}
	set_flag(flags, X86_EFLAGS_CF, wide & 1);
	set_flag(flags, X86_EFLAGS_OF, !arith && top);
	return res & size_mask(bytes);
}

u64 alu_shift(enum alu_shift what, u64 a, unsigned int count, unsigned int bytes, u64 *flags)
{
	u64 res;

	a &= size_mask(bytes);
	count &= bytes == 8 ? 63 : 31;
	if (!count)
		return a;
	switch (what) {
	case ALU_ROL:
	case ALU_ROR:
		return rotate(what == ALU_ROL, a, count, bytes, flags);
	case ALU_RCL:
	case ALU_RCR:
		return rotate_carry(what == ALU_RCL, a, count, bytes, flags);
	case ALU_SHL:
		res = shift_left(a, count, bytes, flags);
		break;
	default:
		res = shift_right(what == ALU_SAR, a, count, bytes, flags);
		break;
	}
	set_flag(flags, X86_EFLAGS_AF, false);
	alu_zsp(res, bytes, flags);
	return res;
}

u64 alu_shiftd(bool left, u64 a, u64 b, unsigned int count, unsigned int bytes, u64 *flags)
{
	unsigned int bits = bytes * 8;
	u64 mask = size_mask(bytes);
	u64 res;
	bool cf;

	a &= mask;
	b &= mask;
	count &= bytes == 8 ? 63 : 31;
	if (!count)
		return a;
	/* Counts above the width (16-bit operands) are undefined: wrap. */
	if (count > bits)
		count -= bits;
	if (left) {
		res = count < bits ? (a << count) | (b >> (bits - count)) : b;
		cf = (a >> (bits - count)) & 1;
	} else {
		res = count < bits ? (a >> count) | (b << (bits - count)) : b;
		cf = (a >> (count - 1)) & 1;
	}
	res &= mask;
	set_flag(flags, X86_EFLAGS_CF, cf);
	set_flag(flags, X86_EFLAGS_AF, false);
	set_flag(flags, X86_EFLAGS_OF, (a ^ res) & sign_bit(bytes));
	alu_zsp(res, bytes, flags);
	return res;
}

void alu_mul(u64 a, u64 b, unsigned int bytes, u64 *lo, u64 *hi, u64 *flags)
{
	unsigned __int128 p = (unsigned __int128)(a & size_mask(bytes)) * (b & size_mask(bytes));
	bool upper;

	*lo = (u64)p & size_mask(bytes);
	*hi = (u64)(p >> (bytes * 8)) & size_mask(bytes);
	upper = *hi;
	set_flag(flags, X86_EFLAGS_CF, upper);
	set_flag(flags, X86_EFLAGS_OF, upper);
}

void alu_imul(u64 a, u64 b, unsigned int bytes, u64 *lo, u64 *hi, u64 *flags)
{
	__int128 p = (__int128)(s64)sign_extend_bytes(a, bytes) * (s64)sign_extend_bytes(b, bytes);
	bool upper;

	*lo = (u64)p & size_mask(bytes);
	*hi = (u64)(p >> (bytes * 8)) & size_mask(bytes);
	upper = (s64)sign_extend_bytes(*lo, bytes) != p;
	set_flag(flags, X86_EFLAGS_CF, upper);
	set_flag(flags, X86_EFLAGS_OF, upper);
}

bool alu_div(u64 hi, u64 lo, u64 b, unsigned int bytes, u64 *quot, u64 *rem)
{
	unsigned int i;
	u64 q = 0, r = hi & size_mask(bytes);
	bool carry;

	b &= size_mask(bytes);
	if (r >= b)
		return false; /* also division by zero */
	/* Long division: the kernel has no 128-bit one. */
	for (i = bytes * 8; i--;) {
		carry = r >> 63;
		r = (r << 1) | ((lo >> i) & 1);
		q <<= 1;
		if (carry || r >= b) {
			r -= b;
			q |= 1;
		}
	}
	*quot = q;
	*rem = r;
	return true;
}

/* Negate a number of twice @bytes. */
static void negate_wide(u64 *hi, u64 *lo, unsigned int bytes)
{
	u64 mask = size_mask(bytes);

	*lo = -*lo & mask;
	*hi = (~*hi + !*lo) & mask;
}

bool alu_idiv(u64 hi, u64 lo, u64 b, unsigned int bytes, u64 *quot, u64 *rem)
{
	u64 top = sign_bit(bytes), mask = size_mask(bytes);
	bool neg_a = hi & top, neg_b = b & top;

	hi &= mask;
	lo &= mask;
	if (neg_a)
		negate_wide(&hi, &lo, bytes);
	if (neg_b)
		b = -b;
	if (!alu_div(hi, lo, b, bytes, quot, rem))
		return false;
	if (*quot > (neg_a != neg_b ? top : top - 1))
		return false;
	if (neg_a != neg_b)
		*quot = -*quot & mask;
	if (neg_a)
		*rem = -*rem & mask;
	return true;
}
