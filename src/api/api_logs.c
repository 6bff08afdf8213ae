/* SPDX-License-Identifier: Apache-2.0
 * api_logs - what instances write. See routes.h.
 *
 * Keepers write STATE/instances/ID/log, one line "TIME TEXT" each. The last lines of every instance that is
 * asked for are sent instance by instance; a follower then gets what is appended, looked for four
 * times a second. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/json.h"
#include "api/routes.h"
#include "base/text.h"
#include "control/view.h"

enum {
	TAIL_BYTES = 256 * 1024,
	LINES_DEFAULT = 200,
	LINES_MAX = 10000,
	FOLLOW_MS = 250,
	FOLLOWED_MAX = 64
};

struct followed {
	char id[96];
	off_t at;
	ino_t file; /* a rotated log is another file */
};

struct reader {
	struct api *api;
	char environment[CONTROL_KEY_SIZE];
	char process[VIEW_WORD_SIZE];
	char instance[96];
	uint64_t lines;
	bool follow;
	struct env_timer timer;
	uint32_t count;
	struct followed files[FOLLOWED_MAX];
	struct buf *to;
};

static int open_log(const struct reader *r, const char *id)
{
	char path[1200];
	snprintf(path, sizeof path, "%s/instances/%s/log", r->api->parts.state_directory, id);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void append_lines(struct buf *to, const char *id, const char *text, size_t size)
{
	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t length = end ? (size_t)(end - text) : size;
		buf_printf(to, "%s %.*s\n", id, (int)length, text);
		size -= length + (end != NULL);
		text += length + (end != NULL);
	}
}

/* Where the last `lines` lines of the text begin. */
static size_t tail_start(const char *text, size_t size, uint64_t lines)
{
	size_t at = size;
	if (at > 0 && text[at - 1] == '\n')
		at--;
	while (at > 0) {
		if (text[at - 1] == '\n' && --lines == 0)
			break;
		at--;
	}
	return at;
}

void add_log_tail(struct api *api, struct view_rollout *view)
{
	struct reader r = {.api = api};
	char text[VIEW_LOG_LINES * 512];
	if (!view->suspect[0] || view->log_line_count > 0)
		return;
	int fd = open_log(&r, view->suspect);
	off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	off_t start = end > (off_t)sizeof text ? end - (off_t)sizeof text : 0;
	ssize_t n = end > 0 ? pread(fd, text, sizeof text, start) : 0;
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return;
	size_t at = tail_start(text, (size_t)n, VIEW_LOG_LINES);
	while (at < (size_t)n && view->log_line_count < VIEW_LOG_LINES) {
		const char *newline = memchr(text + at, '\n', (size_t)n - at);
		size_t length = newline ? (size_t)(newline - text) - at : (size_t)n - at;
		snprintf(view->log_tail[view->log_line_count++], VIEW_TEXT_SIZE, "%.*s",
			 (int)length, text + at);
		at += length + 1;
	}
}

/* Whole lines from `f->at` on; at first only the last ones. */
static void read_on(struct reader *r, struct followed *f, bool first)
{
	int fd = open_log(r, f->id);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (st.st_ino != f->file || st.st_size < f->at)
		f->at = 0;
	f->file = st.st_ino;
	if (first)
		f->at = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
	char *text = mem_new(TAIL_BYTES);
	ssize_t n = pread(fd, text, TAIL_BYTES, f->at);
	close(fd);
	if (n > 0) {
		const char *last = memrchr(text, '\n', (size_t)n);
		size_t whole = last ? (size_t)(last - text) + 1 : 0;
		size_t start = first && whole > 0 ? tail_start(text, whole, r->lines) : 0;
		append_lines(r->to, f->id, text + start, whole - start);
		f->at += (off_t)whole;
	}
	free(text);
}

static void visit(void *context, const struct view_environment *e)
{
	struct reader *r = context;
	for (uint32_t i = 0; i < e->instance_count; i++) {
		const struct view_instance *instance = &e->instances[i];
		if ((r->process[0] && strcmp(r->process, instance->process) != 0) ||
		    (r->instance[0] && strcmp(r->instance, instance->id) != 0))
			continue;
		struct followed *f = NULL;
		for (uint32_t k = 0; k < r->count; k++)
			if (strcmp(r->files[k].id, instance->id) == 0)
				f = &r->files[k];
		if (f) {
			read_on(r, f, false);
		} else if (r->count < FOLLOWED_MAX) {
			f = &r->files[r->count++];
			text_copy(f->id, sizeof f->id, instance->id);
			read_on(r, f, true);
		}
	}
}

static bool more_lines(void *context, struct buf *to)
{
	struct reader *r = context;
	struct env *env = loop_env(r->api->parts.loop);
	struct error err;
	r->to = to;
	if (control_view_environments(r->api->parts.control, r->environment, visit, r, &err) < 0)
		return false;
	if (r->follow)
		env->ops->timer_start(env, &r->timer, FOLLOW_MS);
	return r->follow;
}

static void look_again(void *context)
{
	struct reader *r = context;
	api_wake(r->api);
}

static void reader_gone(void *context)
{
	struct reader *r = context;
	struct env *env = loop_env(r->api->parts.loop);
	env->ops->timer_stop(env, &r->timer);
	free(r);
}

void get_logs(struct api *api, struct http_request *request)
{
	const char *process = http_query(request, "process"),
		   *instance = http_query(request, "instance"),
		   *lines = http_query(request, "lines");
	struct error err;
	if (http_query(request, "grep")) {
		get_instance_search(api, request);
		return;
	}
	struct reader *r = mem_zero(1, sizeof *r);
	r->api = api;
	r->lines = LINES_DEFAULT;
	r->follow = http_query(request, "follow") != NULL;
	r->timer = (struct env_timer){.fire = look_again, .context = r};
	text_copy(r->process, sizeof r->process, process ? process : "");
	text_copy(r->instance, sizeof r->instance, instance ? instance : "");
	int result = control_resolve_environment(api->parts.control, http_segment(request, 2),
						 r->environment, &err);
	if (result == 0 && lines && (!text_parse_u64(lines, LINES_MAX, &r->lines) || r->lines == 0))
		result = error_set(&err, ERR_INVALID, "\"lines\" must be a number from 1 to %d.",
				   LINES_MAX);
	if (result < 0) {
		answer_error(request, &err, "davit status");
		free(r);
		return;
	}
	http_stream(request, "text/plain; charset=utf-8", more_lines, reader_gone, r);
}
