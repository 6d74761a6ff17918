#include "sha256.h"

#include <string.h>

static const uint32_t INITIAL[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotated(uint32_t word, int by) { return (word >> by) | (word << (32 - by)); }

static void take_block(struct sha256 *hash) {
    uint32_t schedule[64];
    for (int i = 0; i < 16; i++) {
        const unsigned char *at = hash->block + 4 * i;
        schedule[i] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t early = schedule[i - 15], late = schedule[i - 2];
        uint32_t s0 = rotated(early, 7) ^ rotated(early, 18) ^ (early >> 3);
        uint32_t s1 = rotated(late, 17) ^ rotated(late, 19) ^ (late >> 10);
        schedule[i] = schedule[i - 16] + s0 + schedule[i - 7] + s1;
    }
    uint32_t a = hash->state[0], b = hash->state[1], c = hash->state[2], d = hash->state[3];
    uint32_t e = hash->state[4], f = hash->state[5], g = hash->state[6], h = hash->state[7];
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
        uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + schedule[i];
        uint32_t s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
        uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1;
        d = c, c = b, b = a, a = t1 + t2;
    }
    const uint32_t worked[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++) hash->state[i] += worked[i];
}

void sha256_begin(struct sha256 *hash) {
    memcpy(hash->state, INITIAL, sizeof INITIAL);
    hash->length = 0;
    hash->filled = 0;
}

void sha256_add(struct sha256 *hash, const void *data, size_t length) {
    const unsigned char *from = data;
    hash->length += length;
    while (length > 0) {
        size_t room = sizeof hash->block - hash->filled;
        size_t taken = length < room ? length : room;
        memcpy(hash->block + hash->filled, from, taken);
        hash->filled += taken;
        from += taken;
        length -= taken;
        if (hash->filled == sizeof hash->block) {
            take_block(hash);
            hash->filled = 0;
        }
    }
}

void sha256_end(struct sha256 *hash, char hex[SHA256_HEX + 1]) {
    static const unsigned char PADDING[64] = {0x80};
    static const char DIGITS[] = "0123456789abcdef";
    uint64_t bits = hash->length * 8;
    unsigned char length[8];
    for (int i = 0; i < 8; i++) length[i] = (unsigned char)(bits >> (56 - 8 * i));
    sha256_add(hash, PADDING, hash->filled < 56 ? 56 - hash->filled : 120 - hash->filled);
    sha256_add(hash, length, sizeof length);
    for (int i = 0; i < SHA256_HEX; i++) hex[i] = DIGITS[hash->state[i / 8] >> (28 - 4 * (i % 8)) & 15];
    hex[SHA256_HEX] = '\0';
}

void sha256_of(const void *data, size_t length, char hex[SHA256_HEX + 1]) {
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, data, length);
    sha256_end(&hash, hex);
}
