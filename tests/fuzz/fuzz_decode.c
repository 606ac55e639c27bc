/* link: emul/decode.c emul/optable.c */
// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes the decoder. Whatever the bytes, it must not read beyond them, must say a length
 * between 1 and 15 or an error that it documents, and must not depend on bytes after the length.
 */
#include <stdlib.h>

#include <linux/errno.h>
#include <linux/string.h>

#include "emul/decode.h"

static void check(int cond)
{
	if (!cond)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct emul_insn a, b;
	enum emul_mode mode;
	int len;
	u8 *exact;

	if (size < 1)
		return 0;
	mode = data[0] % 3;
	data++;
	size--;
	len = emul_decode(&a, data, size, mode);
	check(len == -ENODATA || len == -EINVAL || len == -E2BIG ||
	      (len >= 1 && len <= EMUL_INSN_MAX));
	check(len <= (int)size);
	if (size >= EMUL_INSN_MAX)
		check(len != -ENODATA);
	if (len <= 0)
		return 0;
	check(a.op && a.length == len && a.op->id < OPC_NR);
	/* The same with exactly that many bytes, and one byte fewer is not enough. */
	exact = malloc(len);
	memcpy(exact, data, len);
	check(emul_decode(&b, exact, len, mode) == len);
	check(!memcmp(&a, &b, sizeof(a)));
	check(emul_decode(&b, exact, len - 1, mode) == -ENODATA);
	free(exact);
	return 0;
}
