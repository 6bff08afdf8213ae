/* SPDX-License-Identifier: Apache-2.0
 *
 * flow - one direction of an exchange: a message's bytes from where they are received to where they are
 *        sent, through one buffer.
 *
 * WHAT  The buffer holds, in this order: bytes that were sent and are kept for another try, bytes that are
 *       ready to be sent, and raw bytes that came and were not looked at yet:
 *           0 .. sent .. ready .. raw .. capacity
 *       flow_take() turns raw into ready bytes as the body's framing says, in place; what follows the end
 *       of the body stays raw. A new head goes out before the body, in the same send.
 * HOW   flow_receive() and flow_take() on one side, flow_send() on the other, each as long as it gets on.
 * OWNS  The flow owns its buffers; flow_done() gives them back.
 * ERRORS Results of calls to the system: > 0 bytes, FLOW_WAIT, FLOW_END (the peer sends no more) or
 *       FLOW_ERROR (the connection is lost). flow_take(): 0, or ERR_INVALID / ERR_LIMIT: not a body.
 */
#ifndef GATEWAY_FLOW_H
#define GATEWAY_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/pool.h"
#include "wire/chunked.h"
#include "wire/http1.h"

enum { FLOW_WAIT = -1, FLOW_END = -2, FLOW_ERROR = -3 };

struct flow {
	struct buffer *buffer;
	struct buffer *head; /* what is left of a head that did not go out at once */
	uint32_t head_sent, head_size;
	uint32_t sent, ready, raw;
	uint8_t framing; /* enum http1_framing, of what comes in */
	bool wrap;       /* what comes until the end of its connection goes out in chunks */
	bool keep;       /* bytes that were sent stay */
	bool ended;      /* the body's last byte is ready */
	bool drained;    /* the last receive emptied the socket */
	bool grow;       /* it did not: a larger buffer pays */
	uint64_t left;   /* of a body with a length */
	uint64_t body_bytes;
	struct chunked chunked;
};

/* Begin a body after a head of `head_size` bytes at the buffer's beginning. */
void flow_body(struct flow *f, uint32_t head_size, enum http1_framing framing, uint64_t length);

/* Give the buffers back and be empty. */
void flow_done(struct flow *f, struct buffers *pool);

/* Bytes that can be sent now. */
bool flow_pending(const struct flow *f);

/* Everything has come in and gone out. */
bool flow_complete(const struct flow *f);

/* Make room for receiving; returns how much there is. Does not drop what is kept: see flow_forget(). */
uint32_t flow_room(struct flow *f, struct buffers *pool);

/* Let go of what was sent and kept. */
void flow_forget(struct flow *f);

/* Give the buffer back while there is nothing in it: a quiet stream costs none. */
void flow_rest(struct flow *f, struct buffers *pool);

/* Exchange the buffer for a larger one (at most BUFFER_LARGE); false when it is the largest. */
bool flow_grow(struct flow *f, struct buffers *pool);

/* Exchange the buffer for the smallest that holds its bytes: they will wait. */
void flow_shrink(struct flow *f, struct buffers *pool);

/* Receive into the room: > 0 or FLOW_*. */
int flow_receive(struct flow *f, struct buffers *pool, int fd);

int flow_take(struct flow *f);

/* The connection that the body came from ended: true when that is a proper end of the body. */
bool flow_source_ended(struct flow *f, struct buffers *pool);

/* Send `head` (that of the message, or NULL) and what is ready. > 0, 0: nothing to send, or FLOW_*. */
int flow_send(struct flow *f, struct buffers *pool, int fd, const char *head, uint32_t head_size);

/* The two halves of it, for those who send in another way: the next bytes, in order and at most `capacity` of
 * them; and that `taken` of them are sent. A `head` that was not taken whole is the flow's after that. */
uint32_t flow_gather(const struct flow *f, const char *head, uint32_t head_size, char *to,
		     uint32_t capacity);
void flow_sent(struct flow *f, struct buffers *pool, const char *head, uint32_t head_size,
	       uint32_t taken);

#endif
