/* SHA-256 (FIPS 180-4), in pieces; the digest comes in lower-case hex. */
#ifndef SHA256_H
#define SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_HEX = 64 };

struct sha256 {
    uint32_t state[8];
    uint64_t length;
    unsigned char block[64];
    size_t filled;
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t length);
void sha256_end(struct sha256 *hash, char hex[SHA256_HEX + 1]);

/* The digest of one piece. */
void sha256_of(const void *data, size_t length, char hex[SHA256_HEX + 1]);

#endif
