/* SPDX-License-Identifier: Apache-2.0
 *
 * pool - memory that a worker takes and gives back all the time: buffers of three sizes, and objects of
 *        one size each (slabs). After the first requests nothing comes from the heap any more.
 *
 * OWNS  What is taken belongs to the taker until it is given back. Objects come zeroed but for the bytes
 *       from `zero_bytes` on (large tables that their user fills).
 * LIMITS Buffers are given back to the heap beyond BUFFERS_KEPT_BYTES of free ones. buffers_scarce() says
 *       when more than BUFFERS_BUDGET_BYTES are in use: then the worker accepts no connections.
 */
#ifndef GATEWAY_POOL_H
#define GATEWAY_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BUFFER_SMALL = 4096 - 16,
	BUFFER_USUAL = 16384 - 16,
	BUFFER_LARGE = 65536 + 1024,
	BUFFERS_KEPT_BYTES = 16 << 20,
	BUFFERS_BUDGET_BYTES = 512 << 20,
	BUFFER_CLASSES = 3,
};

struct buffer {
	struct buffer *next;
	uint32_t capacity;
	char data[];
};

struct buffers {
	struct buffer *free[BUFFER_CLASSES];
	size_t free_bytes;
	size_t used_bytes;
};

/* A buffer of at least `capacity` bytes, at most BUFFER_LARGE. */
struct buffer *buffer_take(struct buffers *pool, size_t capacity);
void buffer_give(struct buffers *pool, struct buffer *buffer); /* NULL is allowed */
bool buffers_scarce(const struct buffers *pool);
void buffers_done(struct buffers *pool);

struct slab {
	size_t size;
	size_t zero_bytes;
	void *free;
	uint32_t used;
};

void slab_init(struct slab *slab, size_t size, size_t zero_bytes);
void *slab_take(struct slab *slab);
void slab_give(struct slab *slab, void *object);
void slab_done(struct slab *slab);

#endif
