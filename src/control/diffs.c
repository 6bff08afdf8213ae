/* SPDX-License-Identifier: Apache-2.0
 * diffs - see diffs.h for the contract. */
#include "control/diffs.h"

#include <string.h>

#include "base/pack.h"
#include "base/text.h"
#include "provider/router.h"

enum { DIFFS_VERSION = 1 };

static struct diffs_counts counts_of(const struct router_counters *c)
{
	return (struct diffs_counts){.sent = c->shadow_sent,
				     .dropped = c->shadow_dropped,
				     .failed = c->shadow_failed,
				     .pairs = c->shadow_pairs,
				     .differ = c->shadow_differ,
				     .unpaired = c->shadow_unpaired,
				     .untold = c->shadow_untold,
				     .noise_sent = c->noise_sent,
				     .noise_pairs = c->noise_pairs,
				     .noise_differ = c->noise_differ,
				     .noise_unpaired = c->noise_unpaired};
}

void diffs_begin(struct diffs *d, uint32_t rollout, const struct router_counters *base)
{
	memset(d, 0, sizeof *d);
	d->rollout = rollout;
	d->life = base->life;
	d->read = counts_of(base);
}

bool diffs_count(struct diffs *d, const struct router_counters *now)
{
	struct diffs_counts read = counts_of(now);
	if (d->life != now->life) /* it began anew, from 0 */
		memset(&d->read, 0, sizeof d->read);
	d->life = now->life;
	bool changed = memcmp(&read, &d->read, sizeof read) != 0;
#define X(name) d->counts.name += read.name > d->read.name ? read.name - d->read.name : 0;
	DIFFS_COUNTS(X)
#undef X
	d->read = read;
	return changed;
}

/* The place of a difference, an old or a new one; NULL: there is no room for another. */
static struct diffs_place *place_of(struct diffs *d, const struct answer_difference *found)
{
	for (uint32_t i = 0; i < d->place_count; i++) {
		struct diffs_place *p = &d->places[i];
		if (p->first.kind == found->kind && strcmp(p->first.place, found->place) == 0)
			return p;
	}
	if (d->place_count == JUDGE_NOISE_PLACES)
		return NULL;
	struct diffs_place *p = &d->places[d->place_count++];
	memset(p, 0, sizeof *p);
	/* All pairs that were settled until now were the same here. */
	p->noise.fresh.pairs = d->looked - d->open_fresh;
	p->noise.noise.pairs = d->looked_noise - d->open_noise;
	return p;
}

static void keep_example(struct diffs_place *p, const struct shadow_pair *pair,
			 const struct answer_difference *found)
{
	if (p->method[0] && !(p->first_is_noise && !pair->noise))
		return;
	p->first = *found;
	p->first_is_noise = pair->noise;
	text_copy(p->method, sizeof p->method, pair->method);
	text_copy(p->path, sizeof p->path, pair->path[0] ? pair->path : "/");
}

static void settle(struct diffs *d)
{
	for (uint32_t i = 0; i < d->place_count; i++) {
		struct diffs_place *p = &d->places[i];
		const struct judge_noise_counts fresh = {d->open_fresh, p->open_fresh};
		const struct judge_noise_counts noise = {d->open_noise, p->open_noise};
		judge_noise_settle(&p->noise, &fresh, &noise);
		p->open_fresh = p->open_noise = 0;
	}
	d->open_fresh = d->open_noise = 0;
}

static void add_latency(struct diffs *d, const struct shadow_pair *pair)
{
	uint64_t live = pair->sides[0].first_us, fresh = pair->sides[1].first_us;
	d->first_us[0][histogram_index(live)]++;
	d->first_us[1][histogram_index(fresh)]++;
	d->slower += fresh > live;
	d->faster += fresh < live;
}

void diffs_add(struct diffs *d, const struct shadow_pair *pair,
	       const struct answer_differences *found)
{
	bool no_room = false;
	if (pair->noise) {
		d->looked_noise++;
		d->open_noise++;
	} else {
		d->looked++;
		d->open_fresh++;
		d->looked_differ += found->count > 0;
		add_latency(d, pair);
	}
	for (uint32_t i = 0; i < found->count; i++) {
		struct diffs_place *p = place_of(d, &found->items[i]);
		no_room |= !p;
		if (!p)
			continue;
		keep_example(p, pair, &found->items[i]);
		if (pair->noise)
			p->open_noise++;
		else
			p->open_fresh++;
	}
	d->more += no_room;
	if (judge_noise_block_full(d->open_fresh, d->open_noise))
		settle(d);
}

uint64_t diffs_place_fresh(const struct diffs_place *place)
{
	return place->noise.fresh.differ + place->open_fresh;
}

uint64_t diffs_place_noise(const struct diffs_place *place)
{
	return place->noise.noise.differ + place->open_noise;
}

void diffs_report(const struct diffs *d, bool ret_reported[JUDGE_NOISE_PLACES])
{
	const struct judge_noise *places[JUDGE_NOISE_PLACES];
	for (uint32_t i = 0; i < d->place_count; i++)
		places[i] = &d->places[i].noise;
	judge_noise_report(places, d->place_count, ret_reported);
}

/* --- the bytes that are kept */

static void pack_counts(struct packer *p, const struct diffs_counts *c)
{
#define X(name) pack_u64(p, c->name);
	DIFFS_COUNTS(X)
#undef X
}

static void unpack_counts(struct unpacker *u, struct diffs_counts *c)
{
#define X(name) c->name = unpack_u64(u);
	DIFFS_COUNTS(X)
#undef X
}

static void pack_latency(struct packer *p, const uint64_t counts[HISTOGRAM_BUCKETS])
{
	uint32_t used = 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		used += counts[i] > 0;
	pack_u32(p, used);
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (counts[i] > 0) {
			pack_u32(p, i);
			pack_u64(p, counts[i]);
		}
}

static void unpack_latency(struct unpacker *u, uint64_t counts[HISTOGRAM_BUCKETS])
{
	uint32_t used = unpack_u32(u);
	for (uint32_t i = 0; i < used && u->ok; i++) {
		uint32_t index = unpack_u32(u);
		if (index >= HISTOGRAM_BUCKETS)
			u->ok = false;
		else
			counts[index] = unpack_u64(u);
	}
}

static void pack_place(struct packer *p, const struct diffs_place *place)
{
	uint64_t evidence;
	memcpy(&evidence, &place->noise.log_evidence, sizeof evidence);
	pack_text(p, place->first.place);
	pack_u8(p, (uint8_t)place->first.kind);
	pack_text(p, place->first.live);
	pack_text(p, place->first.fresh);
	pack_u8(p, place->first_is_noise);
	pack_text(p, place->method);
	pack_text(p, place->path);
	pack_u64(p, place->noise.fresh.pairs);
	pack_u64(p, place->noise.fresh.differ);
	pack_u64(p, place->noise.noise.pairs);
	pack_u64(p, place->noise.noise.differ);
	pack_u64(p, evidence);
	pack_u8(p, place->noise.known);
	pack_u64(p, place->open_fresh);
	pack_u64(p, place->open_noise);
}

static void unpack_place(struct unpacker *u, struct diffs_place *place)
{
	unpack_text(u, place->first.place, sizeof place->first.place);
	uint8_t kind = unpack_u8(u);
	if (kind >= ANSWER_KIND_COUNT)
		u->ok = false;
	place->first.kind = kind < ANSWER_KIND_COUNT ? (enum answer_kind)kind : ANSWER_VALUE;
	unpack_text(u, place->first.live, sizeof place->first.live);
	unpack_text(u, place->first.fresh, sizeof place->first.fresh);
	place->first_is_noise = unpack_bool(u);
	unpack_text(u, place->method, sizeof place->method);
	unpack_text(u, place->path, sizeof place->path);
	place->noise.fresh.pairs = unpack_u64(u);
	place->noise.fresh.differ = unpack_u64(u);
	place->noise.noise.pairs = unpack_u64(u);
	place->noise.noise.differ = unpack_u64(u);
	uint64_t evidence = unpack_u64(u);
	memcpy(&place->noise.log_evidence, &evidence, sizeof evidence);
	place->noise.known = unpack_bool(u);
	place->open_fresh = unpack_u64(u);
	place->open_noise = unpack_u64(u);
	if (place->noise.fresh.differ > place->noise.fresh.pairs ||
	    place->noise.noise.differ > place->noise.noise.pairs)
		u->ok = false;
}

#define NUMBERS(X)       \
	X(looked)        \
	X(looked_noise)  \
	X(looked_differ) \
	X(skipped)       \
	X(open_fresh)    \
	X(open_noise)    \
	X(slower)        \
	X(faster)        \
	X(more)

size_t diffs_pack(const struct diffs *d, void *to)
{
	struct packer p;
	pack_init(&p, to, DIFFS_BYTES_MAX);
	pack_u32(&p, DIFFS_VERSION);
	pack_u32(&p, d->rollout);
	pack_counts(&p, &d->counts);
	pack_u64(&p, d->life);
	pack_counts(&p, &d->read);
#define X(name) pack_u64(&p, d->name);
	NUMBERS(X)
#undef X
	pack_latency(&p, d->first_us[0]);
	pack_latency(&p, d->first_us[1]);
	pack_u32(&p, d->place_count);
	for (uint32_t i = 0; i < d->place_count; i++)
		pack_place(&p, &d->places[i]);
	ASSERT(p.ok);
	return p.size;
}

bool diffs_unpack(struct diffs *d, const void *bytes, size_t size)
{
	struct unpacker u;
	unpack_init(&u, bytes, size);
	memset(d, 0, sizeof *d);
	if (unpack_u32(&u) != DIFFS_VERSION)
		return false;
	d->rollout = unpack_u32(&u);
	unpack_counts(&u, &d->counts);
	d->life = unpack_u64(&u);
	unpack_counts(&u, &d->read);
#define X(name) d->name = unpack_u64(&u);
	NUMBERS(X)
#undef X
	unpack_latency(&u, d->first_us[0]);
	unpack_latency(&u, d->first_us[1]);
	d->place_count = unpack_u32(&u);
	if (d->place_count > JUDGE_NOISE_PLACES)
		return false;
	for (uint32_t i = 0; i < d->place_count; i++) {
		struct diffs_place *place = &d->places[i];
		unpack_place(&u, place);
		if (place->open_fresh > d->open_fresh || place->open_noise > d->open_noise)
			return false;
	}
	return unpack_end(&u);
}
