/* SPDX-License-Identifier: Apache-2.0
 *
 * websocket - the upgraded half of client.h: one message at a time, each is echoed.
 *
 * A close with 1001 (going away) or 1012 (service restart), or an end of stream between two frames,
 * is how a server moves its users on: the message that had no echo yet goes out again on a new
 * connection.
 */
#include <string.h>
#include <unistd.h>

#include "client.h"

static const char known_accept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; /* RFC 6455 section 1.3 */

static void send_frame(struct conn *conn, int opcode, const char *payload, size_t size)
{
	uint8_t wire[FRAME_WIRE_MAX];
	uint32_t mask = (uint32_t)clock_ns() * 2654435761u;
	buf_append(&conn->out, wire, frame_write(wire, opcode, payload, size, mask));
	conn_flush(conn);
}

/* The id, then as much padding as its number says. */
static void write_message(const struct conn *conn, struct buf *to)
{
	char id[REQUEST_ID_MAX];
	buf_puts(to, request_id(&conn->client->options->style, conn->request.number, id));
	buf_puts(to, " ");
	for (uint64_t i = 0; i < conn->request.number % 300; i++)
		buf_append(to, ".", 1);
}

void websocket_send(struct conn *conn)
{
	struct buf message;
	buf_init(&message, FRAME_PAYLOAD_MAX);
	write_message(conn, &message);
	conn->out_at = conn->pause_at = 0;
	buf_clear(&conn->out);
	send_frame(conn, FRAME_TEXT, message.data, message.size);
	buf_done(&message);
}

void websocket_opened(struct conn *conn)
{
	struct client *c = conn->client;
	if (strcmp(conn->answer.accept_key, known_accept) != 0) {
		conn_finish(conn, OUTCOME_PROTOCOL, 101, conn->answer.release);
		conn_close(conn);
		return;
	}
	c->tally->ws_opened++;
	conn->upgraded = true;
	memcpy(conn->release, conn->answer.release, sizeof conn->release);
	frame_start(&conn->frames);
	websocket_send(conn);
}

/* The server moves us on. What is unanswered is asked again elsewhere. */
static void moved(struct conn *conn)
{
	struct client *c = conn->client;
	if (conn->state == CONN_IDLE) {
		conn_close(conn);
	} else if (conn->request.attempts < CLIENT_ATTEMPTS_MAX) {
		c->tally->ws_resent++;
		conn_again(conn);
	} else {
		conn_finish(conn, OUTCOME_CLOSED, 0, conn->release);
		conn_close(conn);
	}
}

static void take_echo(struct conn *conn)
{
	struct buf want;
	char id[REQUEST_ID_MAX];
	if (conn->state != CONN_BUSY) {
		conn->client->tally->outcomes[OUTCOME_DUPLICATE]++;
		conn_close(conn);
		return;
	}
	size_t size = strcspn(conn->frames.payload, " ");
	if (size >= sizeof id)
		size = sizeof id - 1;
	memcpy(id, conn->frames.payload, size);
	id[size] = '\0';
	buf_init(&want, FRAME_PAYLOAD_MAX);
	write_message(conn, &want);
	enum outcome outcome = client_id_outcome(conn->client, conn, id);
	if (outcome == OUTCOME_OK && strcmp(buf_text(&want), conn->frames.payload) != 0)
		outcome = OUTCOME_BAD_BODY;
	buf_done(&want);
	conn_finish(conn, outcome, 101, conn->release);
	if (outcome != OUTCOME_OK)
		conn_close(conn);
}

static void take_close(struct conn *conn)
{
	struct client *c = conn->client;
	unsigned code = frame_close_code(&conn->frames);
	send_frame(conn, FRAME_CLOSE, conn->frames.payload, conn->frames.payload_size < 2 ? 0 : 2);
	if (conn->fd < 0)
		return; /* answering found the connection gone */
	if (code == 1001 || code == 1012) {
		c->tally->ws_closed_clean++;
		moved(conn);
	} else if (conn->state == CONN_IDLE) {
		c->tally->outcomes[OUTCOME_PROTOCOL]++; /* 1006, 1011 and so on: torn, not moved */
		conn_close(conn);
	} else {
		conn_finish(conn, OUTCOME_PROTOCOL, 0, conn->release);
		conn_close(conn);
	}
}

static void take_frame(struct conn *conn, int opcode)
{
	if (opcode == FRAME_TEXT)
		take_echo(conn);
	else if (opcode == FRAME_CLOSE)
		take_close(conn);
	else if (opcode == FRAME_PING)
		send_frame(conn, FRAME_PONG, conn->frames.payload, conn->frames.payload_size);
}

void websocket_bytes(struct conn *conn, const char *bytes, size_t size)
{
	while (size > 0 && conn->upgraded) {
		int opcode;
		size_t used = frame_feed(&conn->frames, bytes, size, &opcode);
		bytes += used;
		size -= used;
		if (conn->frames.bad) {
			if (conn->state == CONN_BUSY)
				conn_finish(conn, OUTCOME_PROTOCOL, 0, conn->release);
			else
				conn->client->tally->outcomes[OUTCOME_PROTOCOL]++;
			conn_close(conn);
		} else if (opcode >= 0) {
			take_frame(conn, opcode);
			frame_start(&conn->frames);
		}
	}
}

void websocket_ended(struct conn *conn)
{
	if (frame_at_boundary(&conn->frames)) {
		conn->client->tally->ws_closed_boundary++;
		moved(conn);
	} else if (conn->state == CONN_BUSY) {
		conn_finish(conn, OUTCOME_TRUNCATED, 0, conn->release);
		conn_close(conn);
	} else {
		conn->client->tally->outcomes[OUTCOME_TRUNCATED]++;
		conn_close(conn);
	}
}

void websocket_bye(struct conn *conn)
{
	static const char normal[] = {0x03, (char)0xe8}; /* 1000 */
	conn->out_at = conn->pause_at = 0;
	buf_clear(&conn->out);
	send_frame(conn, FRAME_CLOSE, normal, sizeof normal);
	if (conn->fd >= 0)
		shutdown(conn->fd, SHUT_WR);
}
