/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the decoder and Capstone 4 are known to see differently, each with its reason;
 * and which mnemonic Capstone is expected to print. Used by test_emul_decode.c only.
 */
#ifndef TESTS_DECODE_EXCLUSIONS_H
#define TESTS_DECODE_EXCLUSIONS_H

enum exclusion {
	EXCL_NONE,
	EXCL_STRAY_PREFIX,
	EXCL_VECTOR,
	EXCL_NEWER,
	EXCL_UD01,
	EXCL_CONTROL_REG,
	EXCL_X87,
	EXCL_VEX,
	EXCL_BRANCH66,
	EXCL_FENCE,
	EXCL_NOP,
	EXCL_LOCK,
	EXCL_MANDATORY,
	EXCL_REXR,
	EXCL_EXTRQ,
	EXCL_SWAPGS,
	EXCL_ADDR67,
	EXCL_VIA,
	EXCL_66_REP,
	EXCL_XOP,
	EXCL_NR
};

static const char *const exclusion_text[EXCL_NR] = {
	[EXCL_STRAY_PREFIX] =
		"66, F2 or F3 on an instruction without such a form: #UD here, Capstone ignores it",
	[EXCL_VECTOR] = "SSE forms which Capstone 4 does not know, not emulated",
	[EXCL_NEWER] = "instructions newer than Capstone 4 (SGX, PKRU, CET, ...)",
	[EXCL_UD01] = "UD0 and UD1 have a ModRM byte (SDM); Capstone omits it",
	[EXCL_CONTROL_REG] = "control, debug and segment registers that do not exist: #UD",
	[EXCL_X87] = "unassigned x87 encodings: decoded, not emulated",
	[EXCL_VEX] = "VEX and EVEX are decoded for their length only",
	[EXCL_BRANCH66] =
		"66 on near branches in 64-bit mode: ignored (Intel), 16 bits in Capstone",
	[EXCL_FENCE] = "fences ignore ModRM.rm (SDM); Capstone wants 0",
	[EXCL_NOP] = "reserved NOPs and prefetches of all forms (SDM, opcode map)",
	[EXCL_LOCK] = "LOCK where it is not allowed: #UD",
	[EXCL_MANDATORY] =
		"mandatory prefix in 16-bit code, or not right before the opcode: Capstone misses it",
	[EXCL_REXR] = "REX.R does not extend segment register numbers",
	[EXCL_EXTRQ] = "EXTRQ, INSERTQ (SSE4a), not emulated",
	[EXCL_SWAPGS] = "SWAPGS exists only in 64-bit mode",
	[EXCL_ADDR67] = "67 in 64-bit code is no 66: Capstone mixes them up before REX",
	[EXCL_XOP] = "XOP (8F with a reg field): refused",
	[EXCL_VIA] = "VIA PadLock",
	[EXCL_66_REP] = "66 followed by F2 or F3: Capstone forgets the operand size",
};

/* Expected start of the mnemonic, NULL where names differ too much to compare. */
static const char *mnemonic_of(u16 id)
{
	static const char *const special[OPC_NR] = {
		[OPC_ADD] = "add",
		[OPC_OR] = "or",
		[OPC_ADC] = "adc",
		[OPC_SBB] = "sbb",
		[OPC_AND] = "and",
		[OPC_SUB] = "sub",
		[OPC_XOR] = "xor",
		[OPC_CMP] = "cmp",
		[OPC_TEST] = "test",
		[OPC_INC] = "inc",
		[OPC_DEC] = "dec",
		[OPC_NOT] = "not",
		[OPC_NEG] = "neg",
		[OPC_MUL] = "mul",
		[OPC_IMUL1] = "imul",
		[OPC_IMUL2] = "imul",
		[OPC_IMUL3] = "imul",
		[OPC_DIV] = "div",
		[OPC_IDIV] = "idiv",
		[OPC_ROL] = "rol",
		[OPC_ROR] = "ror",
		[OPC_RCL] = "rcl",
		[OPC_RCR] = "rcr",
		[OPC_SHR] = "shr",
		[OPC_SAR] = "sar",
		[OPC_SHLD] = "shld",
		[OPC_SHRD] = "shrd",
		[OPC_BT] = "bt",
		[OPC_BTS] = "bts",
		[OPC_BTR] = "btr",
		[OPC_BTC] = "btc",
		[OPC_BSF] = "bsf",
		[OPC_BSR] = "bsr",
		[OPC_TZCNT] = "tzcnt",
		[OPC_LZCNT] = "lzcnt",
		[OPC_POPCNT] = "popcnt",
		[OPC_DAA] = "daa",
		[OPC_DAS] = "das",
		[OPC_AAA] = "aaa",
		[OPC_AAS] = "aas",
		[OPC_AAM] = "aam",
		[OPC_AAD] = "aad",
		[OPC_MOV] = "mov",
		[OPC_MOVZX] = "movzx",
		[OPC_MOVSX] = "movs",
		[OPC_MOVBE] = "movbe",
		[OPC_BSWAP] = "bswap",
		[OPC_LEA] = "lea",
		[OPC_XADD] = "xadd",
		[OPC_CMPXCHG] = "cmpxchg",
		[OPC_CMPXCHG8B] = "cmpxchg",
		[OPC_SETCC] = "set",
		[OPC_CMOVCC] = "cmov",
		[OPC_JCC] = "j",
		[OPC_XLAT] = "xlat",
		[OPC_SALC] = "salc",
		[OPC_CLC] = "clc",
		[OPC_STC] = "stc",
		[OPC_CMC] = "cmc",
		[OPC_CLD] = "cld",
		[OPC_STD] = "std",
		[OPC_CLI] = "cli",
		[OPC_STI] = "sti",
		[OPC_LAHF] = "lahf",
		[OPC_SAHF] = "sahf",
		[OPC_PUSH] = "push",
		[OPC_POP] = "pop",
		[OPC_PUSHA] = "pusha",
		[OPC_POPA] = "popa",
		[OPC_PUSHF] = "pushf",
		[OPC_POPF] = "popf",
		[OPC_ENTER] = "enter",
		[OPC_LEAVE] = "leave",
		[OPC_PUSH_SREG] = "push",
		[OPC_POP_SREG] = "pop",
		[OPC_JMP] = "jmp",
		[OPC_JCXZ] = "j",
		[OPC_LOOP] = "loop",
		[OPC_LOOPE] = "loope",
		[OPC_LOOPNE] = "loopne",
		[OPC_CALL] = "call",
		[OPC_RET] = "ret",
		[OPC_BOUND] = "bound",
		[OPC_INT] = "int",
		[OPC_INT3] = "int3",
		[OPC_INTO] = "into",
		[OPC_INT1] = "int1",
		[OPC_MOVS] = "movs",
		[OPC_CMPS] = "cmps",
		[OPC_STOS] = "stos",
		[OPC_LODS] = "lods",
		[OPC_SCAS] = "scas",
		[OPC_INS] = "ins",
		[OPC_OUTS] = "outs",
		[OPC_IN] = "in",
		[OPC_OUT] = "out",
		[OPC_MOV_FROM_SREG] = "mov",
		[OPC_MOV_TO_SREG] = "mov",
		[OPC_LFP_ES] = "les",
		[OPC_LFP_DS] = "lds",
		[OPC_LFP_SS] = "lss",
		[OPC_LFP_FS] = "lfs",
		[OPC_LFP_GS] = "lgs",
		[OPC_JMPF] = "ljmp",
		[OPC_CALLF] = "lcall",
		[OPC_RETF] = "retf",
		[OPC_IRET] = "iret",
		[OPC_MOV_FROM_CR] = "mov",
		[OPC_MOV_TO_CR] = "mov",
		[OPC_MOV_FROM_DR] = "mov",
		[OPC_MOV_TO_DR] = "mov",
		[OPC_CLTS] = "clts",
		[OPC_LMSW] = "lmsw",
		[OPC_SMSW] = "smsw",
		[OPC_SGDT] = "sgdt",
		[OPC_SIDT] = "sidt",
		[OPC_LGDT] = "lgdt",
		[OPC_LIDT] = "lidt",
		[OPC_INVLPG] = "invlpg",
		[OPC_RDMSR] = "rdmsr",
		[OPC_WRMSR] = "wrmsr",
		[OPC_RDTSC] = "rdtsc",
		[OPC_RDTSCP] = "rdtscp",
		[OPC_RDPMC] = "rdpmc",
		[OPC_CPUID] = "cpuid",
		[OPC_SWAPGS] = "swapgs",
		[OPC_PAUSE] = "pause",
		[OPC_HLT] = "hlt",
		[OPC_INVD] = "invd",
		[OPC_XGETBV] = "xgetbv",
		[OPC_XSETBV] = "xsetbv",
		[OPC_MONITOR] = "monitor",
		[OPC_MWAIT] = "mwait",
		[OPC_RSM] = "rsm",
		[OPC_INVPCID] = "invpcid",
		[OPC_VMCALL] = "vmcall",
		[OPC_VMMCALL] = "vmmcall",
		[OPC_VMXON] = "vmxon",
		[OPC_VMXOFF] = "vmxoff",
		[OPC_VMLAUNCH] = "vmlaunch",
		[OPC_VMRESUME] = "vmresume",
		[OPC_VMPTRLD] = "vmptrld",
		[OPC_VMPTRST] = "vmptrst",
		[OPC_VMCLEAR] = "vmclear",
		[OPC_VMREAD] = "vmread",
		[OPC_VMWRITE] = "vmwrite",
		[OPC_INVEPT] = "invept",
		[OPC_INVVPID] = "invvpid",
		[OPC_VMFUNC] = "vmfunc",
		[OPC_VMRUN] = "vmrun",
		[OPC_VMLOAD] = "vmload",
		[OPC_VMSAVE] = "vmsave",
		[OPC_STGI] = "stgi",
		[OPC_CLGI] = "clgi",
		[OPC_SKINIT] = "skinit",
		[OPC_INVLPGA] = "invlpga",
		[OPC_ARPL] = "arpl",
		[OPC_SLDT] = "sldt",
		[OPC_STR] = "str",
		[OPC_LLDT] = "lldt",
		[OPC_LTR] = "ltr",
		[OPC_VERR] = "verr",
		[OPC_VERW] = "verw",
		[OPC_LAR] = "lar",
		[OPC_LSL] = "lsl",
		[OPC_SYSCALL] = "syscall",
		[OPC_SYSRET] = "sysret",
		[OPC_SYSENTER] = "sysenter",
		[OPC_SYSEXIT] = "sysexit",
		[OPC_CLAC] = "clac",
		[OPC_STAC] = "stac",
		[OPC_CRC32] = "crc32",
		[OPC_XMOVS] = "mov",
		[OPC_XMOVL] = "mov",
		[OPC_XMOVH] = "mov",
		[OPC_XMOVD] = "mov",
		[OPC_XMOVQ] = "mov",
		[OPC_XMOVA] = "mov",
		[OPC_VEX] = "v",
	};

	return special[id];
}

/* Length without stray prefixes that Capstone skips, or a negative number. */
static int length_without(const u8 *p, enum emul_mode mode, bool with_66)
{
	struct emul_insn in;
	u8 q[16] = {};
	unsigned int i, n = 0, gone = 0;
	int len;

	for (i = 0; i < 15; i++) {
		bool prefix = p[i] == 0xf2 || p[i] == 0xf3 || (with_66 && p[i] == 0x66);
		if (prefix && n == i - gone) {
			unsigned int k;

			/* Only while all bytes so far were prefixes. */
			for (k = 0; k < n; k++)
				if (!strchr("\x66\x67\x2e\x36\x3e\x26\x64\x65\xf0", q[k]) &&
				    !(mode == EMUL_MODE_64 && (q[k] & 0xf0) == 0x40))
					break;
			if (k == n) {
				gone++;
				continue;
			}
		}
		q[n++] = p[i];
	}
	len = emul_decode(&in, q, 15, mode);
	return len > 0 ? len + (int)gone : len;
}

static bool bad_special_reg(const u8 *p, const cs_insn *c)
{
	const u8 *op = c->detail->x86.opcode;

	return (op[0] == 0x0f && op[1] >= 0x20 && op[1] <= 0x23) || op[0] == 0x8c || op[0] == 0x8e;
}

/* LOCK on what takes none: a register, a load, or an instruction not in the list. */
static bool has_lock(const u8 *p)
{
	unsigned int i;

	for (i = 0; i < 14; i++) {
		if (p[i] == 0xf0)
			return true;
		if (!strchr("\x66\x67\x2e\x36\x3e\x26\x64\x65\xf2\xf3", p[i]) &&
		    (p[i] & 0xf0) != 0x40)
			return false;
	}
	return false;
}

/* Capstone decodes it, we refuse. */
static enum exclusion explain_refused(const u8 *p, enum emul_mode mode, const cs_insn *c)
{
	if (bad_special_reg(p, c))
		return EXCL_CONTROL_REG;
	if (length_without(p, mode, false) == c->size || length_without(p, mode, true) == c->size)
		return EXCL_STRAY_PREFIX;
	if (has_lock(p))
		return EXCL_LOCK;
	if (!strncmp(c->mnemonic, "extrq", 5) || !strncmp(c->mnemonic, "insertq", 7))
		return EXCL_EXTRQ;
	if (!strcmp(c->mnemonic, "swapgs") && mode != EMUL_MODE_64)
		return EXCL_SWAPGS;
	if (c->detail->x86.opcode[0] == 0x0f && (c->detail->x86.opcode[1] & 0xfe) == 0xa6)
		return EXCL_VIA;
	if (c->mnemonic[0] == 'v' && memchr(p, 0x8f, 10))
		return EXCL_XOP;
	if (mode == EMUL_MODE_64 && c->detail->x86.addr_size == 4 && c->detail->x86.rex)
		return EXCL_ADDR67;
	return EXCL_NONE;
}

/* Does the row depend on a mandatory prefix which Capstone may overlook here? */
static bool mandatory_overlooked(const struct emul_insn *in)
{
	u8 others = in->prefixes & ~(EPFX_REX | EPFX_VEX);

	if (in->op->id == OPC_PAUSE)
		return true;
	if (!(in->op->flags & F_PFX) && in->op->id != OPC_TZCNT && in->op->id != OPC_LZCNT)
		return false;
	return in->mode == EMUL_MODE_16 || (others & (others - 1)) || (others & EPFX_SEG) ||
	       (in->prefixes & EPFX_REX);
}

/* We decode it, Capstone refuses. */
static bool size_forgotten(const struct emul_insn *in)
{
	return (in->prefixes & EPFX_66) && (in->prefixes & (EPFX_REP | EPFX_REPNE));
}

static enum exclusion explain_accepted(const struct emul_insn *in)
{
	if (OPND_KIND(in->op->opnd[0]) == OK_S || OPND_KIND(in->op->opnd[1]) == OK_S)
		return EXCL_REXR;
	switch (in->op->id) {
	case OPC_SSE:
	case OPC_MMX:
		return EXCL_VECTOR;
	case OPC_SGX:
	case OPC_PKRU:
	case OPC_SYSTEM_OTHER:
	case OPC_MONITOR:
	case OPC_MWAIT:
	case OPC_RDPID:
	case OPC_ADX:
		return EXCL_NEWER;
	case OPC_X87:
		return EXCL_X87;
	case OPC_VEX:
		return EXCL_VEX;
	case OPC_FENCE:
		return EXCL_FENCE;
	case OPC_NOP:
		return EXCL_NOP;
	case OPC_UD:
		return EXCL_UD01;
	default:
		if (in->map == MAP_0F38 && in->op->id == OPC_MOV)
			return EXCL_NEWER;
		if (size_forgotten(in))
			return EXCL_66_REP;
		return mandatory_overlooked(in) ? EXCL_MANDATORY : EXCL_NONE;
	}
}

static enum exclusion explain(const u8 *p, enum emul_mode mode, const struct emul_insn *in,
			      const cs_insn *c)
{
	if (!in)
		return explain_refused(p, mode, c);
	if (!c)
		return explain_accepted(in);
	if (in->op->id == OPC_UD)
		return EXCL_UD01;
	if (in->op->flags & F_F64 && mode == EMUL_MODE_64 && (in->prefixes & EPFX_66))
		return EXCL_BRANCH66;
	if (mode == EMUL_MODE_64 && (in->prefixes & EPFX_67) && (in->prefixes & EPFX_REX))
		return EXCL_ADDR67;
	if (size_forgotten(in))
		return EXCL_66_REP;
	if (in->op->id == OPC_SSE && in->map == MAP_0F && in->opcode == 0x78)
		return EXCL_EXTRQ;
	if (mandatory_overlooked(in))
		return EXCL_MANDATORY;
	return EXCL_NONE;
}

#endif /* TESTS_DECODE_EXCLUSIONS_H */
