// SPDX-License-Identifier: GPL-2.0-only
/* Computing with a known answer: SHA-256 (FIPS 180-4) of a million letters 'a'. */
#include <string.h>

#include "load.h"

#define MESSAGE	       1000000u
#define BLOCKS_AT_ONCE 1000

static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

/* The answer that the standard's examples give. */
static const uint32_t answer[8] = { 0xcdc76e5c, 0x9914fb92, 0x81a1c7e2, 0x84d73e67,
				    0xf1809a48, 0xa497200e, 0x046d39cc, 0xc7112cd0 };

static uint32_t rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static void schedule(uint32_t w[64], const uint8_t *block)
{
	int i;

	for (i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
		       (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
}

static void compress(uint32_t h[8], const uint8_t *block)
{
	uint32_t w[64], s[8];
	int i;

	schedule(w, block);
	memcpy(s, h, sizeof(s));
	for (i = 0; i < 64; i++) {
		uint32_t t1 = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
			      ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
		uint32_t t2 = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) +
			      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

		memmove(s + 1, s, 7 * sizeof(*s));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		h[i] += s[i];
}

/* In pieces with a rest behind each, for a load that is even. */
static void sha256_of_million(const struct load *l, uint32_t h[8])
{
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	uint8_t block[64];
	uint64_t bits = MESSAGE * 8ull;
	uint64_t began = now_ns();
	unsigned int i;

	memcpy(h, start, sizeof(start));
	memset(block, 'a', sizeof(block));
	for (i = 1; i <= MESSAGE / 64; i++) {
		compress(h, block);
		if (i % BLOCKS_AT_ONCE == 0) {
			rest(l, began);
			began = now_ns();
		}
	}
	/* A multiple of the block size: the last block is padding alone. */
	_Static_assert(MESSAGE % 64 == 0, "padding");
	memset(block, 0, sizeof(block));
	block[0] = 0x80;
	for (i = 0; i < 8; i++)
		block[63 - i] = (uint8_t)(bits >> 8 * i);
	compress(h, block);
}

void *hash_thread(void *arg)
{
	struct load *l = arg;
	uint32_t h[8];
	uint64_t began;

	while (!atomic_load(&l->stop)) {
		began = now_ns();
		sha256_of_million(l, h);
		if (memcmp(h, answer, sizeof(h)))
			die("%s: SHA-256 came out as %08x...", l->name, h[0]);
		note(&l->did[HASH], MESSAGE, began);
	}
	return NULL;
}
