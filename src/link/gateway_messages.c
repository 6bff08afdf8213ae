/* SPDX-License-Identifier: Apache-2.0
 * gateway_messages - see gateway_messages.h for the contract. */
#include "link/gateway_messages.h"

#include <string.h>

#include "base/pack.h"

static const uint8_t magic[4] = {'D', 'V', 'G', 'W'};

const char *gateway_message_name(enum gateway_message_type type)
{
	static const char *const names[] = {"none",
#define X(name, text) text,
					    GATEWAY_MESSAGES(X)
#undef X
	};
	return type < GATEWAY_MESSAGE_COUNT ? names[type] : "unknown";
}

static void write_status(struct packer *p, const struct gateway_status *s)
{
	pack_u64(p, s->generation);
	pack_u64(p, s->newest);
	pack_u64(p, s->seen);
	pack_u32(p, s->workers);
	pack_u32(p, s->alive);
	pack_u32(p, s->restarts);
	pack_u32(p, s->pid);
	pack_u32(p, s->uncounted);
}

static void read_status(struct unpacker *u, struct gateway_status *s)
{
	s->generation = unpack_u64(u);
	s->newest = unpack_u64(u);
	s->seen = unpack_u64(u);
	s->workers = unpack_u32(u);
	s->alive = unpack_u32(u);
	s->restarts = unpack_u32(u);
	s->pid = unpack_u32(u);
	s->uncounted = unpack_u32(u);
}

static void write_result(struct packer *p, const struct gateway_result *r)
{
	pack_u64(p, r->generation);
	pack_u32(p, (uint32_t)-r->code);
	pack_u32(p, r->workers);
	pack_u32(p, r->prepare_us);
	pack_u32(p, r->persist_us);
	pack_u32(p, r->seen_us);
	pack_text(p, r->text);
}

static void read_result(struct unpacker *u, struct gateway_result *r)
{
	r->generation = unpack_u64(u);
	uint32_t code = unpack_u32(u);
	if (code > (uint32_t)-ERR_INTERNAL)
		u->ok = false;
	else
		r->code = -(int32_t)code;
	r->workers = unpack_u32(u);
	r->prepare_us = unpack_u32(u);
	r->persist_us = unpack_u32(u);
	r->seen_us = unpack_u32(u);
	unpack_text(u, r->text, sizeof r->text);
}

static void write_listen(struct packer *p, const struct gateway_listen *l)
{
	ASSERT(l->count >= 1 && l->count <= GATEWAY_LISTEN_MAX);
	pack_u32(p, l->count);
	for (uint32_t i = 0; i < l->count; i++)
		pack_text(p, l->addresses[i]);
}

static void read_listen(struct unpacker *u, struct gateway_listen *l)
{
	l->count = unpack_u32(u);
	if (l->count < 1 || l->count > GATEWAY_LISTEN_MAX) {
		u->ok = false;
		return;
	}
	for (uint32_t i = 0; i < l->count; i++)
		unpack_text(u, l->addresses[i], sizeof l->addresses[i]);
}

static void write_body(struct packer *p, const struct gateway_message *m)
{
	switch (m->type) {
	case GATEWAY_WELCOME:
	case GATEWAY_STATUS: write_status(p, &m->status); break;
	case GATEWAY_RESULT:
	case GATEWAY_PREPARED: write_result(p, &m->result); break;
	case GATEWAY_JOIN:
		pack_u32(p, m->join.index);
		pack_u32(p, m->join.pid);
		pack_u8(p, m->join.fresh);
		pack_u32(p, m->join.listener_count);
		break;
	case GATEWAY_LISTEN: write_listen(p, &m->listen); break;
	case GATEWAY_APPLY:
	case GATEWAY_PREPARE:
	case GATEWAY_PREPARE_SAVED:
	case GATEWAY_COMMIT:
	case GATEWAY_SEEN: pack_u64(p, m->generation); break;
	case GATEWAY_SETUP: pack_u32(p, m->index); break;
	case GATEWAY_DRAIN:
	case GATEWAY_RETIRE: pack_u32(p, m->deadline_ms); break;
	case GATEWAY_ATTACH:
	case GATEWAY_LEAVE:
	case GATEWAY_ASK: break;
	case GATEWAY_NONE:
	case GATEWAY_MESSAGE_COUNT: ASSERT(!"a type"); break;
	}
}

static void read_body(struct unpacker *u, struct gateway_message *m)
{
	switch (m->type) {
	case GATEWAY_WELCOME:
	case GATEWAY_STATUS: read_status(u, &m->status); break;
	case GATEWAY_RESULT:
	case GATEWAY_PREPARED: read_result(u, &m->result); break;
	case GATEWAY_JOIN:
		m->join.index = unpack_u32(u);
		m->join.pid = unpack_u32(u);
		m->join.fresh = unpack_bool(u);
		m->join.listener_count = unpack_u32(u);
		if (m->join.listener_count > TABLE_LISTENERS_MAX)
			u->ok = false;
		break;
	case GATEWAY_LISTEN: read_listen(u, &m->listen); break;
	case GATEWAY_APPLY:
	case GATEWAY_PREPARE:
	case GATEWAY_PREPARE_SAVED:
	case GATEWAY_COMMIT:
	case GATEWAY_SEEN: m->generation = unpack_u64(u); break;
	case GATEWAY_SETUP: m->index = unpack_u32(u); break;
	case GATEWAY_DRAIN:
	case GATEWAY_RETIRE: m->deadline_ms = unpack_u32(u); break;
	case GATEWAY_ATTACH:
	case GATEWAY_LEAVE:
	case GATEWAY_ASK: break;
	case GATEWAY_NONE:
	case GATEWAY_MESSAGE_COUNT: u->ok = false; break;
	}
}

/* What builds of davit say to each other whatever their ABI. */
static bool lasting(enum gateway_message_type type)
{
	return type == GATEWAY_JOIN || type == GATEWAY_LISTEN || type == GATEWAY_LEAVE ||
	       type == GATEWAY_RETIRE;
}

size_t gateway_message_write(const struct gateway_message *message, void *to)
{
	struct packer p;
	pack_init(&p, to, GATEWAY_MESSAGE_MAX);
	pack_bytes(&p, magic, sizeof magic);
	pack_u16(&p, GATEWAY_ABI);
	pack_u16(&p, (uint16_t)message->type);
	pack_u64(&p, message->sequence);
	write_body(&p, message);
	ASSERT(p.ok);
	return p.size;
}

int gateway_message_read(const void *bytes, size_t size, struct gateway_message *ret_message,
			 struct error *err)
{
	struct unpacker u;
	unpack_init(&u, bytes, size);
	uint8_t start[sizeof magic];
	unpack_bytes(&u, start, sizeof start);
	uint16_t abi = unpack_u16(&u);
	enum gateway_message_type type = (enum gateway_message_type)unpack_u16(&u);
	if (u.ok && memcmp(start, magic, sizeof magic) == 0 && abi != GATEWAY_ABI && !lasting(type))
		return error_set(
			err, ERR_UNSUPPORTED,
			"The other process speaks version %u of the gateway's messages; this one "
			"speaks %u. Restart both from the same davit.",
			abi, (unsigned)GATEWAY_ABI);
	struct gateway_message m;
	memset(&m, 0, sizeof m);
	m.type = type;
	m.sequence = unpack_u64(&u);
	if (u.ok && memcmp(start, magic, sizeof magic) == 0 && m.type < GATEWAY_MESSAGE_COUNT)
		read_body(&u, &m);
	else
		u.ok = false;
	if (!unpack_end(&u))
		return error_set(err, ERR_CORRUPT,
				 "What arrived (%zu bytes) is not a message of the gateway.", size);
	*ret_message = m;
	return 0;
}
