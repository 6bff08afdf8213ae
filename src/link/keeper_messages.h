/* SPDX-License-Identifier: Apache-2.0
 *
 * keeper_messages - what the runtime driver and a keeper say to each other.
 *
 * WHAT  One message is one packet on the SEQPACKET socket D/instances/<id>/keeper.sock, where the keeper
 *       listens. Any number of peers of the same user may be connected, up to a limit.
 *
 * HOW   peer -> keeper   WATCH    tell me now, and whenever something changes
 *                        WANT     keep, drain or stop, by this version of the document
 *                        FORGET   I have seen that you are over: end
 *       keeper -> peer   STATUS   all there is to know; also the acknowledgement of WANT (`applied`)
 *                        REFUSED  the WANT of this version was not taken, and why
 *
 * UNITS u16 protocol number, u16 kind, then the fields in the order of the structs (base/pack.h). Any change of
 *       a field is a new protocol number.
 * ERRORS keeper_message_read() returns ERR_CORRUPT for anything that is not exactly one message of this
 *       protocol, and ERR_UNSUPPORTED for another protocol number. The reader then ends the connection.
 * LIMITS KEEPER_MESSAGE_MAX bytes a message.
 */
#ifndef LINK_KEEPER_MESSAGES_H
#define LINK_KEEPER_MESSAGES_H

#include "base/err.h"
#include "link/instance.h"

enum { KEEPER_PROTOCOL = 2, KEEPER_MESSAGE_MAX = 2048 };

enum keeper_message_kind {
	KEEPER_WATCH = 1,
	KEEPER_WANT,
	KEEPER_FORGET,
	KEEPER_STATUS,
	KEEPER_REFUSED,
};

struct keeper_want {
	struct instance_version version;
	enum instance_want want;
	bool undrained; /* stop though it is ready and does not drain */
};

struct keeper_refused {
	struct instance_version version; /* the one that was refused */
	struct instance_version applied; /* the one that stands */
	enum err code;
	char sentence[INSTANCE_SENTENCE_SIZE];
};

struct keeper_message {
	enum keeper_message_kind kind;
	union {
		struct keeper_want want;
		struct keeper_refused refused;
		struct instance_status status;
	};
};

/* Returns the number of bytes written to `to`, which has room for KEEPER_MESSAGE_MAX. */
size_t keeper_message_write(const struct keeper_message *message, void *to);
int keeper_message_read(const void *bytes, size_t size, struct keeper_message *ret_message,
			struct error *err) MUST_CHECK;

#endif
