/* SPDX-License-Identifier: Apache-2.0
 * api_ticks - what a rollout was judged by, as lines: so that the client can judge it again. See routes.h. */
#include <stdlib.h>

#include "api/routes.h"
#include "control/view.h"

enum { PIECE_BYTES = 64 << 10 };

struct sending {
	struct control *control;
	uint32_t rollout;
	uint64_t at; /* byte of the log */
	struct buf *to;
};

/* 1: that is a piece. */
static int add_line(void *context, const char *line, size_t size, struct error *err)
{
	struct sending *s = context;
	(void)err;
	buf_append(s->to, line, size);
	buf_append(s->to, "\n", 1);
	return s->to->size >= PIECE_BYTES;
}

static bool more_ticks(void *context, struct buf *to)
{
	struct sending *s = context;
	struct error err;
	s->to = to;
	return control_read_ticks(s->control, s->rollout, &s->at, add_line, s, &err) > 0;
}

/* 1: there is a line. */
static int see_line(void *context, const char *line, size_t size, struct error *err)
{
	(void)context, (void)line, (void)size, (void)err;
	return 1;
}

static int find_log(struct control *control, const char *rollout, uint32_t *ret_number,
		    struct error *err)
{
	struct view_rollout *view = mem_new(sizeof *view);
	uint64_t at = 0;
	int result = control_view_rollout(control, rollout, view, err);
	*ret_number = view->number;
	free(view);
	return result < 0 ? result
			  : control_read_ticks(control, *ret_number, &at, see_line, NULL, err);
}

void get_rollout_ticks(struct api *api, struct http_request *request)
{
	struct error err;
	uint32_t number;
	if (find_log(api->parts.control, http_segment(request, 2), &number, &err) < 0) {
		answer_error(request, &err, "davit history");
		return;
	}
	struct sending *s = mem_zero(1, sizeof *s);
	*s = (struct sending){.control = api->parts.control, .rollout = number};
	http_stream(request, "application/x-ndjson", more_ticks, free, s);
}
