/* SPDX-License-Identifier: Apache-2.0
 *
 * pool - see pool.h for the contract.
 */
#include "gateway/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

static const uint32_t CAPACITIES[BUFFER_CLASSES] = {BUFFER_SMALL, BUFFER_USUAL, BUFFER_LARGE};

struct buffer *buffer_take(struct buffers *pool, size_t capacity)
{
	size_t class = 0;
	while (class < BUFFER_CLASSES && CAPACITIES[class] < capacity)
		class ++;
	ASSERT(class < BUFFER_CLASSES);
	struct buffer *b = pool->free[class];
	if (b) {
		pool->free[class] = b->next;
		pool->free_bytes -= b->capacity;
	} else {
		b = mem_new(sizeof(*b) + CAPACITIES[class]);
		b->capacity = CAPACITIES[class];
	}
	b->next = NULL;
	pool->used_bytes += b->capacity;
	return b;
}

void buffer_give(struct buffers *pool, struct buffer *buffer)
{
	if (!buffer)
		return;
	pool->used_bytes -= buffer->capacity;
	if (pool->free_bytes + buffer->capacity > BUFFERS_KEPT_BYTES) {
		free(buffer);
		return;
	}
	size_t class = 0;
	while (CAPACITIES[class] < buffer->capacity)
		class ++;
	buffer->next = pool->free[class];
	pool->free[class] = buffer;
	pool->free_bytes += buffer->capacity;
}

bool buffers_scarce(const struct buffers *pool)
{
	return pool->used_bytes > BUFFERS_BUDGET_BYTES;
}

void buffers_done(struct buffers *pool)
{
	for (size_t class = 0; class < BUFFER_CLASSES; class ++) {
		while (pool->free[class]) {
			struct buffer *b = pool->free[class];
			pool->free[class] = b->next;
			free(b);
		}
	}
}

void slab_init(struct slab *slab, size_t size, size_t zero_bytes)
{
	ASSERT(size >= sizeof(void *) && zero_bytes <= size);
	*slab = (struct slab){.size = size, .zero_bytes = zero_bytes};
}

void *slab_take(struct slab *slab)
{
	void *object = slab->free;
	if (object)
		memcpy(&slab->free, object, sizeof(void *));
	else
		object = mem_new(slab->size);
	memset(object, 0, slab->zero_bytes);
	slab->used++;
	return object;
}

void slab_give(struct slab *slab, void *object)
{
	memcpy(object, &slab->free, sizeof(void *));
	slab->free = object;
	slab->used--;
}

void slab_done(struct slab *slab)
{
	while (slab->free) {
		void *object = slab->free;
		memcpy(&slab->free, object, sizeof(void *));
		free(object);
	}
}
