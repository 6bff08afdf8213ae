/* SPDX-License-Identifier: Apache-2.0
 * beginning - where a rollout's counting began, as bytes that are kept with its row: the next controller counts
 * on from there, as long as the gateway's own counting goes on.
 *
 * A layout that this davit does not know is passed over: then counting begins anew, as after a restart of the
 * gateway. */
#include <assert.h>
#include <string.h>

#include "base/pack.h"
#include "control/environment.h"

enum { LAYOUT = 1, NUMBERS = sizeof(struct router_counters) / sizeof(uint64_t) };

static_assert(sizeof(struct router_counters) == NUMBERS * sizeof(uint64_t),
	      "counters are nothing but numbers");
static_assert(ANALYSIS_BEGAN_SIZE == 8 + 2 * sizeof(struct router_counters), "see analysis.h");

static void put_counters(struct packer *p, const struct router_counters *counters)
{
	uint64_t numbers[NUMBERS];
	memcpy(numbers, counters, sizeof numbers);
	for (uint32_t i = 0; i < NUMBERS; i++)
		pack_u64(p, numbers[i]);
}

static void take_counters(struct unpacker *u, struct router_counters *ret_counters)
{
	uint64_t numbers[NUMBERS];
	for (uint32_t i = 0; i < NUMBERS; i++)
		numbers[i] = unpack_u64(u);
	memcpy(ret_counters, numbers, sizeof numbers);
}

void analysis_write_began(const struct analysis *a, uint8_t to[ANALYSIS_BEGAN_SIZE])
{
	struct packer p;
	pack_init(&p, to, ANALYSIS_BEGAN_SIZE);
	pack_u32(&p, LAYOUT);
	pack_u32(&p, NUMBERS);
	put_counters(&p, &a->fresh.began);
	put_counters(&p, &a->live.began);
	ASSERT(p.ok && p.size == ANALYSIS_BEGAN_SIZE);
}

void analysis_read_began(struct analysis *a, const void *bytes, size_t size)
{
	struct unpacker u;
	struct router_counters fresh, live;
	unpack_init(&u, bytes, size);
	if (unpack_u32(&u) != LAYOUT || unpack_u32(&u) != NUMBERS)
		return;
	take_counters(&u, &fresh);
	take_counters(&u, &live);
	if (!unpack_end(&u))
		return;
	a->fresh.began = fresh;
	a->live.began = live;
}
