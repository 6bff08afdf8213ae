/* SPDX-License-Identifier: Apache-2.0
 *
 * hash - SipHash-2-4, keyed: for splits, sticky cookies and tables that outsiders could flood.
 * SOURCE Aumasson, Bernstein, "SipHash: a fast short-input PRF", 2012; the test uses its appendix A.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { HASH_KEY_SIZE = 16 };

uint64_t hash_keyed(const uint8_t key[HASH_KEY_SIZE], const void *data, size_t size);

#endif
