/* SPDX-License-Identifier: Apache-2.0
 *
 * probe_http2 - one question about health by HTTP/2: a GET, or gRPC's health check. Bytes in and out; the socket is probe.h's.
 *
 * HOW   probe_http2_new() and send what probe_http2_request() gives; then probe_http2_answer() with all that comes, until it is
 *       over. Nothing else has to be sent: neither is an answer waited for longer than a probe lasts, nor does one connection
 *       carry a second question.
 * OWNS  The caller frees it.
 * ERRORS What is no HTTP/2, and what says that the instance is not well, are sentences of a probe that did not pass.
 * SOURCE RFC 9113; gRPC's health checking protocol, grpc/health/v1/health.proto, whose message here is one field of one byte.
 */
#ifndef KEEPER_PROBE_HTTP2_H
#define KEEPER_PROBE_HTTP2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe_http2;

enum probe_http2_state { PROBE_HTTP2_MORE, PROBE_HTTP2_PASSED, PROBE_HTTP2_FAILED };

/* `path`: to be got; NULL: gRPC's health check of the whole server. */
struct probe_http2 *probe_http2_new(const char *path, uint16_t port);
void probe_http2_free(struct probe_http2 *p); /* NULL is allowed */

/* All that is to be sent. Returns its size; 0: it does not fit. */
size_t probe_http2_request(struct probe_http2 *p, char *to, size_t capacity);

/* Bytes that came. When it is over, `sentence` says how. */
enum probe_http2_state probe_http2_answer(struct probe_http2 *p, const char *data, size_t size,
					  char *sentence, size_t sentence_size);

#endif
