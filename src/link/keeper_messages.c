/* SPDX-License-Identifier: Apache-2.0
 * keeper_messages - see keeper_messages.h for the contract. */
#include "link/keeper_messages.h"

#include <string.h>

#include "base/pack.h"

static void write_version(struct packer *p, struct instance_version version)
{
	pack_u64(p, version.epoch);
	pack_u64(p, version.n);
}

static struct instance_version read_version(struct unpacker *u)
{
	struct instance_version version;
	version.epoch = unpack_u64(u);
	version.n = unpack_u64(u);
	return version;
}

/* An enum from outside: what is past its end makes the message corrupt. */
static uint8_t read_below(struct unpacker *u, unsigned count)
{
	uint8_t value = unpack_u8(u);
	if (value >= count) {
		u->ok = false;
		return 0;
	}
	return value;
}

static void write_want(struct packer *p, const struct keeper_want *want)
{
	write_version(p, want->version);
	pack_u8(p, (uint8_t)want->want);
	pack_u8(p, want->undrained);
}

static void read_want(struct unpacker *u, struct keeper_want *want)
{
	want->version = read_version(u);
	want->want = (enum instance_want)read_below(u, INSTANCE_WANT_COUNT);
	want->undrained = unpack_bool(u);
}

static void write_refused(struct packer *p, const struct keeper_refused *refused)
{
	write_version(p, refused->version);
	write_version(p, refused->applied);
	pack_text(p, err_name(refused->code));
	pack_text(p, refused->sentence);
}

static void read_refused(struct unpacker *u, struct keeper_refused *refused)
{
	char name[32];
	refused->version = read_version(u);
	refused->applied = read_version(u);
	unpack_text(u, name, sizeof name);
	refused->code = err_from_name(name);
	unpack_text(u, refused->sentence, sizeof refused->sentence);
}

static void write_status(struct packer *p, const struct instance_status *s)
{
	pack_text(p, s->id);
	pack_text(p, s->app);
	pack_text(p, s->environment);
	pack_text(p, s->release);
	pack_text(p, s->tag);
	pack_text(p, s->process);
	pack_text(p, s->artifact);
	pack_u32(p, s->slot);
	pack_u8(p, s->traffic);
	pack_u8(p, (uint8_t)s->state);
	pack_u8(p, (uint8_t)s->want);
	write_version(p, s->applied);
	pack_u8(p, s->healthy);
	pack_u64(p, s->ready_since_ms);
	pack_u64(p, s->state_since_ms);
	pack_u32(p, s->restarts);
	pack_u64(p, s->log_errors);
	pack_u32(p, (uint32_t)s->pid);
	pack_text(p, s->address);
	pack_u8(p, s->exit_known);
	pack_u32(p, (uint32_t)s->exit_code);
	pack_u32(p, (uint32_t)s->exit_signal);
	pack_text(p, s->sentence);
}

static void read_status(struct unpacker *u, struct instance_status *s)
{
	unpack_text(u, s->id, sizeof s->id);
	unpack_text(u, s->app, sizeof s->app);
	unpack_text(u, s->environment, sizeof s->environment);
	unpack_text(u, s->release, sizeof s->release);
	unpack_text(u, s->tag, sizeof s->tag);
	unpack_text(u, s->process, sizeof s->process);
	unpack_text(u, s->artifact, sizeof s->artifact);
	s->slot = unpack_u32(u);
	s->traffic = unpack_bool(u);
	s->state = (enum instance_state)read_below(u, INSTANCE_STATE_COUNT);
	s->want = (enum instance_want)read_below(u, INSTANCE_WANT_COUNT);
	s->applied = read_version(u);
	s->healthy = unpack_bool(u);
	s->ready_since_ms = unpack_u64(u);
	s->state_since_ms = unpack_u64(u);
	s->restarts = unpack_u32(u);
	s->log_errors = unpack_u64(u);
	s->pid = (int32_t)unpack_u32(u);
	unpack_text(u, s->address, sizeof s->address);
	s->exit_known = unpack_bool(u);
	s->exit_code = (int32_t)unpack_u32(u);
	s->exit_signal = (int32_t)unpack_u32(u);
	unpack_text(u, s->sentence, sizeof s->sentence);
}

size_t keeper_message_write(const struct keeper_message *message, void *to)
{
	struct packer p;
	pack_init(&p, to, KEEPER_MESSAGE_MAX);
	pack_u16(&p, KEEPER_PROTOCOL);
	pack_u16(&p, (uint16_t)message->kind);
	switch (message->kind) {
	case KEEPER_WATCH:
	case KEEPER_FORGET: break;
	case KEEPER_WANT: write_want(&p, &message->want); break;
	case KEEPER_STATUS: write_status(&p, &message->status); break;
	case KEEPER_REFUSED: write_refused(&p, &message->refused); break;
	}
	ASSERT(p.ok); /* KEEPER_MESSAGE_MAX is larger than the sum of the largest fields */
	return p.size;
}

int keeper_message_read(const void *bytes, size_t size, struct keeper_message *ret_message,
			struct error *err)
{
	struct unpacker u;
	unpack_init(&u, bytes, size);
	unsigned protocol = unpack_u16(&u);
	unsigned kind = unpack_u16(&u);
	if (u.ok && protocol != KEEPER_PROTOCOL)
		return error_set(err, ERR_UNSUPPORTED,
				 "The keeper's protocol is %u, this program speaks %d.", protocol,
				 KEEPER_PROTOCOL);
	struct keeper_message message = {.kind = (enum keeper_message_kind)kind};
	switch (kind) {
	case KEEPER_WATCH:
	case KEEPER_FORGET: break;
	case KEEPER_WANT: read_want(&u, &message.want); break;
	case KEEPER_STATUS: read_status(&u, &message.status); break;
	case KEEPER_REFUSED: read_refused(&u, &message.refused); break;
	default: u.ok = false;
	}
	if (!unpack_end(&u))
		return error_set(err, ERR_CORRUPT,
				 "A message of %zu bytes between davit and a keeper "
				 "breaks the protocol.",
				 size);
	*ret_message = message;
	return 0;
}
