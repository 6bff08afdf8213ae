/* SPDX-License-Identifier: Apache-2.0
 *
 * pairing - see pairing.h for the contract.
 *
 * The hash is for telling answers apart, not against somebody who makes two that have the same.
 */
#include "gateway/pairing.h"

#include <string.h>
#include <unistd.h>

#include "gateway/account.h"
#include "gateway/live.h"
#include "gateway/loop.h"
#include "link/shadow_pair.h"
#include "os/channel.h"

static const uint8_t FIELD_KEY[HASH_KEY_SIZE]; /* compared within this process only */

static const struct table_mirror *mirror_of(const struct pairing *p)
{
	return &p->environment->mirror;
}

/* So many a second, however many there are. */
static bool choose(struct worker *w)
{
	uint64_t due = w->now_ms / 1000;
	if (due != w->looks_second) {
		w->looks_second = due;
		w->looks_left = PAIRING_LOOKS_PER_S;
	}
	if (w->looks_left == 0)
		return false;
	w->looks_left--;
	return true;
}

static void copy_span(char *to, size_t size, const char *data, struct http1_span span)
{
	size_t n = span.size < size ? span.size : size - 1;
	memcpy(to, data + span.at, n);
	to[n] = 0;
}

struct pairing *pairing_new(struct worker *w, const struct exchange *x,
			    const struct table_release *new_release)
{
	if (w->pairings.used >= PAIRINGS_MAX)
		return NULL;
	struct pairing *p = slab_take(&w->pairings);
	const char *data = x->request.buffer->data;
	p->live = live_ref(x->live);
	p->environment = x->route->environment;
	p->release = new_release;
	p->class = x->class;
	p->chosen = choose(w);
	copy_span(p->method, sizeof(p->method), data, x->head.method_text);
	copy_span(p->path, sizeof(p->path), data, x->head.path);
	pairing_expect(p, PAIRING_LIVE);
	return p;
}

void pairing_expect(struct pairing *p, enum pairing_side side)
{
	p->looks[side].expected = true;
	p->open++;
}

bool pairing_chosen(const struct pairing *p)
{
	return p->chosen;
}

void pairing_ask(struct pairing *p, enum pairing_side side)
{
	p->looks[side].asked_us = worker_now_us();
}

/* All fields of a name together: their order is part of what they say. */
static void look_at_field(struct look *look, uint32_t index, const char *name,
			  const struct http1_head *head, const char *data)
{
	const struct http1_field *f;
	bool hidden = shadow_field_hidden(name);
	for (uint16_t from = 0; (f = http1_field_named(head, data, name, from)); from++) {
		uint64_t one = hash_keyed(FIELD_KEY, data + f->value.at, f->value.size);
		look->fields[index] = look->fields[index] * 31 + (one | 1);
		if (!hidden && !look->values[index][0])
			copy_span(look->values[index], sizeof(look->values[index]), data, f->value);
		from = (uint16_t)(f - head->fields);
	}
}

void pairing_head(struct pairing *p, enum pairing_side side, const struct http1_head *head,
		  const char *data)
{
	struct look *look = &p->looks[side];
	look->first_us = worker_now_us() - look->asked_us;
	look->status = head->status;
	look->framing = head->framing;
	look->left = head->length;
	if (head->framing == HTTP1_FRAMING_CHUNKED)
		chunked_init(&look->chunked, CHUNKED_BARE);
	for (uint32_t i = 0; i < mirror_of(p)->header_count; i++)
		look_at_field(look, i, mirror_of(p)->headers[i], head, data);
}

/* ── bodies ───────────────────────────────────────────────────────────────────────────────────────── */

static uint64_t stirred(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 29;
}

/* Where a body is cut into pieces makes no difference: words are made over them. */
static void hash_body(struct look *look, const char *bytes, size_t size)
{
	uint64_t hash = look->hash;
	while (size > 0 && look->odd_size > 0) {
		look->odd[look->odd_size++] = *bytes++;
		size--;
		if (look->odd_size == sizeof(look->odd)) {
			uint64_t word;
			memcpy(&word, look->odd, sizeof(word));
			hash = stirred(hash, word);
			look->odd_size = 0;
		}
	}
	for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), bytes += sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, bytes, sizeof(word));
		hash = stirred(hash, word);
	}
	memcpy(look->odd + look->odd_size, bytes, size);
	look->odd_size = (uint8_t)(look->odd_size + size);
	look->hash = hash;
}

static void end_hash(struct look *look)
{
	for (uint8_t i = 0; i < look->odd_size; i++)
		look->hash = stirred(look->hash, (uint8_t)look->odd[i]);
	look->odd_size = 0;
}

static void keep_body(struct worker *w, struct look *look, const char *bytes, size_t size)
{
	if (!look->body && w->pairing_bytes + BUFFER_USUAL <= PAIRING_BYTES_MAX) {
		look->body = buffer_take(&w->buffers, BUFFER_USUAL);
		w->pairing_bytes += BUFFER_USUAL;
	}
	if (!look->body)
		return;
	size_t room = SHADOW_BODY_MAX - look->body_size;
	size_t n = size < room ? size : room;
	memcpy(look->body->data + look->body_size, bytes, n);
	look->body_size += (uint32_t)n;
}

static void drop_body(struct worker *w, struct look *look)
{
	if (!look->body)
		return;
	w->pairing_bytes -= BUFFER_USUAL;
	buffer_give(&w->buffers, look->body);
	look->body = NULL;
}

void pairing_body(struct worker *w, struct pairing *p, enum pairing_side side, const char *bytes,
		  size_t size)
{
	struct look *look = &p->looks[side];
	look->body_bytes += size;
	hash_body(look, bytes, size);
	if (p->chosen && size > 0)
		keep_body(w, look, bytes, size);
}

/* A flow reads the same bytes after us, and leaves what we leave: they come again with the next ones. */
static void take_chunks(struct worker *w, struct pairing *p, enum pairing_side side,
			const char *bytes, size_t size)
{
	struct look *look = &p->looks[side];
	while (size > 0 && !look->ended) {
		size_t n = size < SCRATCH_SIZE ? size : SCRATCH_SIZE, used = 0, data = 0;
		memcpy(w->scratch, bytes, n);
		int result = chunked_pass(&look->chunked, w->scratch, n, &used, &data);
		if (result < 0)
			return; /* the flow finds the same, and ends it */
		pairing_body(w, p, side, w->scratch, data);
		look->ended = result == 1;
		bytes += used;
		size -= used;
		if (used == 0)
			return;
	}
}

void pairing_raw(struct worker *w, struct pairing *p, enum pairing_side side, const char *bytes,
		 size_t size)
{
	struct look *look = &p->looks[side];
	switch ((enum http1_framing)look->framing) {
	case HTTP1_FRAMING_NONE: return;
	case HTTP1_FRAMING_CHUNKED: take_chunks(w, p, side, bytes, size); return;
	case HTTP1_FRAMING_CLOSE: pairing_body(w, p, side, bytes, size); return;
	case HTTP1_FRAMING_LENGTH: break;
	}
	size_t n = size < look->left ? size : (size_t)look->left;
	look->left -= n;
	pairing_body(w, p, side, bytes, n);
}

/* ── the controller ───────────────────────────────────────────────────────────────────────────────── */

void pairing_done(struct worker *w)
{
	if (w->tell_fd >= 0)
		close(w->tell_fd);
	w->tell_fd = -1;
}

static bool connected(struct worker *w)
{
	struct channel_peer peer;
	struct error err;
	if (w->tell_fd >= 0)
		return true;
	if (w->state_fd < 0 || w->now_ms < w->tell_due_ms)
		return false;
	w->tell_due_ms = w->now_ms + PAIRING_TELL_AGAIN_MS;
	if (channel_connect(w->state_fd, SHADOW_SOCKET, &w->tell_fd, &peer, &err) < 0)
		w->tell_fd = -1;
	return w->tell_fd >= 0;
}

static void fill_side(const struct look *look, bool with_body, struct shadow_side *to)
{
	*to = (struct shadow_side){
		.status = look->status, .first_us = look->first_us, .body_bytes = look->body_bytes};
	if (with_body && look->body) {
		to->body = look->body->data;
		to->body_size = look->body_size;
	}
	to->cut = to->body_size < to->body_bytes;
}

static bool field_differs(const struct look *a, const struct look *b, uint32_t i)
{
	return a->fields[i] != b->fields[i];
}

static bool body_differs(const struct look *a, const struct look *b)
{
	return a->body_bytes != b->body_bytes || a->hash != b->hash;
}

static void tell(struct worker *w, const struct pairing *p, const struct look *other, bool noise)
{
	static struct shadow_pair pair; /* of this thread's one loop */
	static uint8_t bytes[SHADOW_PAIR_MAX];
	const struct look *live = &p->looks[PAIRING_LIVE];
	struct error err;
	memset(&pair, 0, sizeof(pair));
	memcpy(pair.app, p->environment->app, sizeof(pair.app));
	memcpy(pair.environment, p->environment->name, sizeof(pair.environment));
	pair.release = p->release->id;
	pair.noise = noise;
	memcpy(pair.method, p->method, sizeof(pair.method));
	memcpy(pair.path, p->path, sizeof(pair.path));
	pair.body_differs = body_differs(live, other);
	for (uint32_t i = 0; i < mirror_of(p)->header_count; i++) {
		if (!field_differs(live, other, i))
			continue;
		struct shadow_field *f = &pair.fields[pair.field_count++];
		memcpy(f->name, mirror_of(p)->headers[i], sizeof(f->name));
		memcpy(f->value[0], live->values[i], sizeof(f->value[0]));
		memcpy(f->value[1], other->values[i], sizeof(f->value[1]));
	}
	fill_side(live, pair.body_differs, &pair.sides[0]);
	fill_side(other, pair.body_differs, &pair.sides[1]);
	size_t size = shadow_pair_write(&pair, bytes, sizeof(bytes));
	ASSERT(size > 0);
	int failed = connected(w) ? channel_send(w->tell_fd, bytes, size, NULL, 0, &err)
				  : ERR_UNAVAILABLE;
	if (failed && failed != ERR_RETRY)
		pairing_done(w);
	if (failed)
		account_shadow(w, p->release, p->class, COUNTERS_RELEASE_SHADOW_UNTOLD);
}

/* ── the comparison ───────────────────────────────────────────────────────────────────────────────── */

static bool same(const struct pairing *p, const struct look *a, const struct look *b)
{
	for (uint32_t i = 0; i < mirror_of(p)->header_count; i++)
		if (field_differs(a, b, i))
			return false;
	return a->status == b->status && !body_differs(a, b);
}

static void compare(struct worker *w, const struct pairing *p, enum pairing_side side)
{
	static const enum counters_release_field fields[PAIRING_SIDES][3] = {
		[PAIRING_NEW] = {COUNTERS_RELEASE_SHADOW_UNPAIRED, COUNTERS_RELEASE_SHADOW_PAIRS,
				 COUNTERS_RELEASE_SHADOW_DIFFER},
		[PAIRING_AGAIN] = {COUNTERS_RELEASE_NOISE_UNPAIRED, COUNTERS_RELEASE_NOISE_PAIRS,
				   COUNTERS_RELEASE_NOISE_DIFFER}};
	const struct look *live = &p->looks[PAIRING_LIVE], *other = &p->looks[side];
	if (other->end == PAIRING_GONE)
		return;
	if (live->end != PAIRING_WHOLE || other->end != PAIRING_WHOLE) {
		account_shadow(w, p->release, p->class, fields[side][0]);
		return;
	}
	account_shadow(w, p->release, p->class, fields[side][1]);
	if (!same(p, live, other))
		account_shadow(w, p->release, p->class, fields[side][2]);
	if (p->chosen)
		tell(w, p, other, side == PAIRING_AGAIN);
}

void pairing_over(struct worker *w, struct pairing *p, enum pairing_side side, enum pairing_end end)
{
	struct look *look = &p->looks[side];
	ASSERT(look->expected && !look->over);
	look->over = true;
	look->end = (uint8_t)end;
	end_hash(look);
	for (int i = PAIRING_LIVE + 1; i < PAIRING_SIDES; i++)
		if (p->looks[i].over && p->looks[PAIRING_LIVE].over &&
		    (side == PAIRING_LIVE || side == (enum pairing_side)i))
			compare(w, p, (enum pairing_side)i);
	if (--p->open > 0)
		return;
	for (int i = 0; i < PAIRING_SIDES; i++)
		drop_body(w, &p->looks[i]);
	live_unref(w, p->live);
	slab_give(&w->pairings, p);
}

/* ── the user's answer ────────────────────────────────────────────────────────────────────────────── */

void pairing_pass(struct worker *w, struct exchange *x)
{
	const struct flow *f = &x->response;
	if (x->pairing)
		pairing_raw(w, x->pairing, PAIRING_LIVE, f->buffer->data + f->ready,
			    f->raw - f->ready);
}

void pairing_leave(struct worker *w, struct exchange *x, enum pairing_end end)
{
	struct pairing *p = x->pairing;
	x->pairing = NULL;
	if (p)
		pairing_over(w, p, PAIRING_LIVE, end);
}
