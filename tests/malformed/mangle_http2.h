/* SPDX-License-Identifier: Apache-2.0
 *
 * mangle_http2 - malformed connections of HTTP/2 without end: right frames, wronged a few times.
 *
 * WHAT  Sequence `number` of `seed` is always the same bytes: the preface, settings, and up to four requests on streams of
 *       their own, with bodies, padding, CONTINUATION, priorities, windows, pings, resets and ends among them. Most are one to
 *       five changes away from right: a length, a type, flags, a stream, a byte of a head in HPACK, a setting or a window at the
 *       edge of its range; frames doubled, moved, cut, put in; bytes put in and taken out. One of 16 is right.
 * TAG   Each request has the sequence's tag (mangle.h) in a field `x-case`.
 * OWNS  The caller's memory of MANGLE_MAX bytes. Pure: no clock, no allocation.
 */
#ifndef MALFORMED_MANGLE_HTTP2_H
#define MALFORMED_MANGLE_HTTP2_H

#include <stddef.h>
#include <stdint.h>

size_t mangle_http2(uint64_t seed, uint64_t number, char *to);

/* A right request, without a tag. */
size_t mangle_http2_right(char *to);

#endif
