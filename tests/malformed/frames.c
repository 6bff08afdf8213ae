/* SPDX-License-Identifier: Apache-2.0
 * frames - see frames.h for the contract. */
#include "frames.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

enum { HEAD_SIZE = 9, PAYLOAD_MAX = 16384 };
enum { HEADED = 1, ENDED = 2, RESET = 4 };

static uint32_t number_at(const uint8_t *at, int bytes)
{
	uint32_t value = 0;
	for (int i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

static uint8_t *state_of(struct frames *f, uint32_t stream)
{
	return stream / 2 < FRAMES_STREAMS ? &f->streams[stream / 2] : NULL;
}

/* ---- heads ---- */

static const char *take_field(struct frames *f, const nghttp2_nv *field)
{
	for (size_t i = 0; i < field->namelen; i++)
		if (field->name[i] >= 'A' && field->name[i] <= 'Z')
			return "a name in upper case";
	if (field->namelen == 7 && memcmp(field->name, ":status", 7) == 0 && field->valuelen == 3)
		f->head_status = (unsigned)(field->value[0] - '0') * 100 +
				 (unsigned)(field->value[1] - '0') * 10 +
				 (unsigned)(field->value[2] - '0');
	f->seen(f->context, (const char *)field->value, field->valuelen);
	return NULL;
}

static const char *take_block(struct frames *f, const uint8_t *data, size_t size, bool last)
{
	const char *wrong = NULL;
	int flags = 0;
	while (!wrong) {
		nghttp2_nv field;
		ssize_t used =
			nghttp2_hd_inflate_hd2(f->inflater, &field, &flags, data, size, last);
		if (used < 0)
			return "a head that cannot be decoded";
		data += used;
		size -= (size_t)used;
		if (flags & NGHTTP2_HD_INFLATE_EMIT)
			wrong = take_field(f, &field);
		if (flags & NGHTTP2_HD_INFLATE_FINAL) {
			nghttp2_hd_inflate_end_headers(f->inflater);
			break;
		}
		if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && size == 0)
			break;
	}
	return wrong;
}

static const char *take_head(struct frames *f, uint32_t stream, unsigned flags, const uint8_t *data,
			     size_t size)
{
	uint8_t *state = state_of(f, stream);
	bool trailer = state && *state & HEADED;
	bool last = flags & NGHTTP2_FLAG_END_HEADERS;
	const char *wrong = take_block(f, data, size, last);
	f->head_of = last ? 0 : stream;
	if (wrong || !last)
		return wrong;
	unsigned status = f->head_status;
	f->head_status = 0;
	if (status == 0 && state && !trailer)
		return "a head without a status";
	if (status >= 200 && state)
		*state |= HEADED;
	if (status >= 200)
		f->status = status;
	if (f->head_ends && state)
		*state |= ENDED;
	f->ended += f->head_ends;
	return NULL;
}

/* ---- frames ---- */

static const char *take_stream_frame(struct frames *f, unsigned type, unsigned flags,
				     uint32_t stream, const uint8_t *data, size_t size)
{
	uint8_t *state = state_of(f, stream);
	if (stream % 2 == 0)
		return "a frame of a stream that no client has opened";
	if (state && type != NGHTTP2_RST_STREAM && type != NGHTTP2_WINDOW_UPDATE &&
	    *state & (ENDED | RESET))
		return "a frame after the end of its stream";
	switch (type) {
	case NGHTTP2_HEADERS:
		if (flags & (NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY))
			return "a padded head";
		f->head_ends = flags & NGHTTP2_FLAG_END_STREAM;
		return take_head(f, stream, flags, data, size);
	case NGHTTP2_CONTINUATION: return take_head(f, stream, flags, data, size);
	case NGHTTP2_DATA:
		if (state && !(*state & HEADED))
			return "a body before its head";
		if (state && flags & NGHTTP2_FLAG_END_STREAM)
			*state |= ENDED;
		f->ended += flags & NGHTTP2_FLAG_END_STREAM;
		return NULL;
	case NGHTTP2_RST_STREAM:
		if (state)
			*state |= RESET;
		return size == 4 ? NULL : "RST_STREAM of another size than 4";
	default: return size == 4 && number_at(data, 4) ? NULL : "WINDOW_UPDATE by nothing";
	}
}

static const char *take_frame(struct frames *f)
{
	const uint8_t *data = f->frame + HEAD_SIZE;
	size_t size = f->size - HEAD_SIZE;
	unsigned type = f->frame[3], flags = f->frame[4];
	uint32_t stream = number_at(f->frame + 5, 4);
	bool begun = f->begun;
	f->begun = true;
	if (!begun && (type != NGHTTP2_SETTINGS || flags))
		return "something before its SETTINGS";
	if (f->head_of ? type != NGHTTP2_CONTINUATION || stream != f->head_of
		       : type == NGHTTP2_CONTINUATION)
		return "CONTINUATION out of place, or none";
	switch (type) {
	case NGHTTP2_SETTINGS:
		return stream == 0 && size % 6 == 0 && (!(flags & NGHTTP2_FLAG_ACK) || size == 0)
			       ? NULL
			       : "SETTINGS of a stream, or of another size than sixes";
	case NGHTTP2_PING:
		return stream == 0 && size == 8 ? NULL : "PING of a stream, or of another size";
	case NGHTTP2_GOAWAY: return stream == 0 && size >= 8 ? NULL : "a broken GOAWAY";
	case NGHTTP2_WINDOW_UPDATE:
		if (stream == 0)
			return size == 4 && number_at(data, 4) ? NULL : "WINDOW_UPDATE by nothing";
		return take_stream_frame(f, type, flags, stream, data, size);
	case NGHTTP2_DATA:
	case NGHTTP2_HEADERS:
	case NGHTTP2_RST_STREAM:
	case NGHTTP2_CONTINUATION: return take_stream_frame(f, type, flags, stream, data, size);
	default: return "a frame that no server sends";
	}
}

const char *frames_read(struct frames *f, const char *data, size_t size)
{
	const char *wrong = NULL;
	if (!f->inflater && nghttp2_hd_inflate_new(&f->inflater) != 0)
		return "no memory";
	while (size > 0 && !wrong) {
		size_t want = HEAD_SIZE;
		if (f->size >= HEAD_SIZE)
			want += number_at(f->frame, 3);
		if (want > sizeof f->frame)
			return "a frame of more than 16384 bytes";
		size_t part = want - f->size < size ? want - f->size : size;
		memcpy(f->frame + f->size, data, part);
		f->size += part;
		data += part;
		size -= part;
		if (f->size >= HEAD_SIZE && f->size == HEAD_SIZE + number_at(f->frame, 3)) {
			wrong = take_frame(f);
			f->size = 0;
		}
	}
	return wrong;
}

void frames_done(struct frames *f)
{
	if (f->inflater)
		nghttp2_hd_inflate_del(f->inflater);
	f->inflater = NULL;
}
