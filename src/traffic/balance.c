/* SPDX-License-Identifier: Apache-2.0
 * balance - see balance.h for the contract. */
#include "traffic/balance.h"

#include "base/err.h"

/* How picky a choice is: first all that is wanted, then one concession after the other. */
enum grade {
	GRADE_HEALTHY = 0, /* ready, not ejected, not the one to avoid */
	GRADE_DOUBTFUL,    /* ready, not the one to avoid */
	GRADE_READY,
	GRADE_COUNT
};

struct choice {
	const struct balance_backend *b;
	size_t count;
	int avoid;
	uint64_t now_ms;
};

static bool usable(const struct choice *c, size_t index, enum grade grade)
{
	if (!c->b[index].ready || (grade < GRADE_READY && (int)index == c->avoid))
		return false;
	return grade > GRADE_HEALTHY || !health_ejected(&c->b[index].health, c->now_ms);
}

/* Two different numbers below `count` > 1, uniform, out of one random number. */
static void draw_two(uint64_t random, size_t count, size_t *ret_first, size_t *ret_second)
{
	size_t first = (size_t)((random >> 32) * count >> 32);
	size_t second = (size_t)((random & UINT32_MAX) * (count - 1) >> 32);
	*ret_first = first;
	*ret_second = second < first ? second : second + 1;
}

/* Another number out of one that was used, for a second draw that must not follow from the first.
 * SOURCE the finalizer of SplitMix64. */
static uint64_t remix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t balance_warmth(const struct balance_backend *b, uint64_t now_ms)
{
	uint64_t passed = now_ms > b->joined_ms ? now_ms - b->joined_ms : 0;
	if (passed >= b->warms_ms)
		return BALANCE_WARM;
	return BALANCE_COLD + (uint32_t)(passed * (BALANCE_WARM - BALANCE_COLD) / b->warms_ms);
}

static size_t less_busy(const struct choice *c, size_t first, size_t second, uint64_t random)
{
	size_t best = c->b[second].in_flight < c->b[first].in_flight ? second : first;
	size_t other = best == first ? second : first;
	if (!c->b[best].warms_ms)
		return best;
	uint32_t warmth = balance_warmth(&c->b[best], c->now_ms);
	if (warmth >= balance_warmth(&c->b[other], c->now_ms))
		return best;
	return remix(random) % BALANCE_WARM < warmth ? best : other;
}

static bool open_now(const struct choice *c, size_t index, enum grade grade)
{
	return !c->b[index].full && usable(c, index, grade);
}

static size_t count_usable(const struct choice *c, enum grade grade)
{
	size_t found = 0;
	for (size_t i = 0; i < c->count; i++)
		found += usable(c, i, grade);
	return found;
}

static size_t count_open(const struct choice *c, enum grade grade)
{
	size_t found = 0;
	for (size_t i = 0; i < c->count; i++)
		found += open_now(c, i, grade);
	return found;
}

/* The index of the open one with `rank` before it. */
static size_t find_open(const struct choice *c, enum grade grade, size_t rank)
{
	for (size_t i = 0; i < c->count; i++)
		if (open_now(c, i, grade) && rank-- == 0)
			return i;
	ASSERT(!"rank is below the count of open backends");
	return 0;
}

int balance_choose(const struct balance_backend *b, size_t count, int avoid, uint64_t random,
		   uint64_t now_ms)
{
	struct choice c = {b, count, avoid, now_ms};
	size_t first, second;
	if (count > 1) {
		draw_two(random, count, &first, &second);
		if (open_now(&c, first, GRADE_HEALTHY) && open_now(&c, second, GRADE_HEALTHY))
			return (int)less_busy(&c, first, second, random);
	}
	for (enum grade grade = GRADE_HEALTHY; grade < GRADE_COUNT; grade++) {
		size_t found = count_open(&c, grade);
		if (found == 1)
			return (int)find_open(&c, grade, 0);
		if (found > 1) {
			draw_two(remix(random), found, &first, &second);
			return (int)less_busy(&c, find_open(&c, grade, first),
					      find_open(&c, grade, second), random + 1);
		}
		if (count_usable(&c, grade) > 0)
			return ERR_LIMIT;
	}
	return ERR_UNAVAILABLE;
}

size_t balance_ready(const struct balance_backend *b, size_t count, bool healthy_only,
		     uint64_t now_ms)
{
	struct choice c = {b, count, BALANCE_NONE, now_ms};
	return count_usable(&c, healthy_only ? GRADE_HEALTHY : GRADE_READY);
}

bool balance_may_eject(const struct balance_backend *b, size_t count, size_t index, uint64_t now_ms)
{
	size_t ready = balance_ready(b, count, false, now_ms);
	size_t healthy = balance_ready(b, count, true, now_ms);
	if (!b[index].ready || health_ejected(&b[index].health, now_ms))
		return false;
	return (ready - healthy + 1) * 2 <= ready; /* which keeps one, too */
}
