// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMCS encodings to places in struct vmcs12, generated from vmcs12_fields.def.
 *
 * Lookup is one table access: the parts of an encoding that vary are packed
 * into nine bits, which index a table of field numbers (SDM "Field Encoding in
 * VMCS": bit 0 access, 9:1 index, 11:10 type, 14:13 width). The index comes
 * from a guest; because it is built with masks, never with a comparison, there
 * is no bounds check to speculate past.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "nested/vmcs12.h"

#define ENC_HIGH       0x0001u /* the upper half of a 64-bit field */
#define ENC_INDEX_BITS 5
#define ENC_INDEX_MASK ((1u << ENC_INDEX_BITS) - 1)
/* Bits of an encoding that no known field has: reserved ones, large indexes. */
#define ENC_UNUSED (~0x6c3full)

#define ENC_SLOT(enc)                                                                          \
	((((enc) >> 13 & 3) << (ENC_INDEX_BITS + 2)) | (((enc) >> 10 & 3) << ENC_INDEX_BITS) | \
	 ((enc) >> 1 & ENC_INDEX_MASK))
#define ENC_SLOTS (1u << (ENC_INDEX_BITS + 4))

#define SIZE_16	  2
#define SIZE_32	  4
#define SIZE_64	  8
#define SIZE_N	  8

const struct vmcs12_field vmcs12_fields[] = {
#define VMCS12_FIELD(enc, width, member, acc, vmcs02, cap, off) \
	{                                                       \
		.encoding = (enc),                              \
		.offset = (off),                                \
		.size = SIZE_##width,                           \
		.access = VMCS12_##acc,                         \
		.kind = VMCS12_##vmcs02,                        \
		.needs = VMCS12_NEEDS_##cap,                    \
		.name = #member,                                \
	},
#include "nested/vmcs12_fields.def"
};

const unsigned int vmcs12_nr_fields = ARRAY_SIZE(vmcs12_fields);

/* Position of each field in vmcs12_fields[], counted from one. */
enum field_number {
	FIELD_NONE,
#define VMCS12_FIELD(enc, width, member, acc, vmcs02, cap, off) FIELD_##member,
#include "nested/vmcs12_fields.def"
	FIELD_END
};

static_assert(FIELD_END <= 256);

static const u8 field_of_slot[ENC_SLOTS] = {
#define VMCS12_FIELD(enc, width, member, acc, vmcs02, cap, off) [ENC_SLOT(enc)] = FIELD_##member,
#include "nested/vmcs12_fields.def"
};

/* A width that does not match bits 14:13, or an index that the slots cannot hold. */
#define ENC_WIDTH_16 0
#define ENC_WIDTH_64 1
#define ENC_WIDTH_32 2
#define ENC_WIDTH_N  3
#define VMCS12_FIELD(enc, width, member, acc, vmcs02, cap, off) \
	static_assert(((enc) & (ENC_UNUSED | ENC_HIGH)) == 0 && \
		      ((enc) >> 13 & 3) == ENC_WIDTH_##width);
#include "nested/vmcs12_fields.def"

/**
 * vmcs12_find - the field that an encoding names
 * @encoding: VMCS encoding; the high half of a 64-bit field finds that field
 *
 * Returns NULL when no such field is in the list. Whether the field exists for
 * a given guest is vmx_caps_has(caps, field->needs).
 */
const struct vmcs12_field *vmcs12_find(u64 encoding)
{
	const struct vmcs12_field *f;
	unsigned int number;

	if (encoding & ENC_UNUSED)
		return NULL;
	number = field_of_slot[ENC_SLOT(encoding)];
	if (number == FIELD_NONE)
		return NULL;
	f = &vmcs12_fields[number - 1];
	/* Only 64-bit fields have a high half; natural-width ones do not. */
	if ((encoding & ENC_HIGH) && (encoding >> 13 & 3) != ENC_WIDTH_64)
		return NULL;
	return f;
}

/**
 * vmcs12_field_name - name of a field for traces
 * @encoding: VMCS encoding
 */
const char *vmcs12_field_name(u64 encoding)
{
	const struct vmcs12_field *f = vmcs12_find(encoding);

	return f ? f->name : "unknown";
}

/**
 * vmcs12_field_offset - byte offset in struct vmcs12
 * @encoding: VMCS encoding; a high half is four bytes into its field
 *
 * Returns the offset or -ENOENT.
 */
int vmcs12_field_offset(u64 encoding)
{
	const struct vmcs12_field *f = vmcs12_find(encoding);

	if (!f)
		return -ENOENT;
	return f->offset + (encoding & ENC_HIGH ? 4 : 0);
}

/**
 * vmcs12_load - value of a field that has been looked up
 * @v: the VMCS
 * @f: an entry of vmcs12_fields[]
 */
u64 vmcs12_load(const struct vmcs12 *v, const struct vmcs12_field *f)
{
	u64 val = 0;

	/* Little endian, as everything that runs VMX is. */
	memcpy(&val, (const u8 *)v + f->offset, f->size);
	return val;
}

/**
 * vmcs12_store - set a field that has been looked up
 * @v:   the VMCS
 * @f:   an entry of vmcs12_fields[]
 * @val: value; bits beyond the field's width are dropped, as VMWRITE does
 */
void vmcs12_store(struct vmcs12 *v, const struct vmcs12_field *f, u64 val)
{
	memcpy((u8 *)v + f->offset, &val, f->size);
}

/**
 * vmcs12_half - what VMREAD gives of a field
 * @encoding: VMCS encoding
 * @val:      value of the field
 */
u64 vmcs12_half(u64 encoding, u64 val)
{
	return encoding & ENC_HIGH ? val >> 32 : val;
}

/**
 * vmcs12_read - read a field, or half of one, by encoding
 * @v:	      the VMCS
 * @encoding: VMCS encoding
 * @val:      result, zero-extended
 *
 * Returns 0 or -ENOENT.
 */
int vmcs12_read(const struct vmcs12 *v, u64 encoding, u64 *val)
{
	const struct vmcs12_field *f = vmcs12_find(encoding);

	if (!f)
		return -ENOENT;
	*val = vmcs12_half(encoding, vmcs12_load(v, f));
	return 0;
}

/**
 * vmcs12_write - write a field, or half of one, by encoding
 * @v:	      the VMCS
 * @encoding: VMCS encoding
 * @val:      value
 *
 * Does not look at access rights: insn.c does. Returns 0 or -ENOENT.
 */
int vmcs12_write(struct vmcs12 *v, u64 encoding, u64 val)
{
	const struct vmcs12_field *f = vmcs12_find(encoding);

	if (!f)
		return -ENOENT;
	if (encoding & ENC_HIGH)
		val = val << 32 | (vmcs12_load(v, f) & 0xffffffffull);
	vmcs12_store(v, f, val);
	return 0;
}
