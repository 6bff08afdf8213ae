/* SPDX-License-Identifier: Apache-2.0
 * command - see command.h for the contract. */
#include "drivers/check/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "drivers/check/bounds.h"
#include "os/file.h"
#include "os/memfd.h"
#include "os/memory_directory.h"

enum {
	READ_SIZE = 16 * 1024,
	TURN_MAX = 1, /* parts a turn of the loop: to mask one takes its time */
	SETTING_MAX = CHECK_NAME_SIZE + CHECK_SECRET_MAX + 1,
	PATH_SIZE = MEMORY_PATH_SIZE + 64,
	CLEAR_MS = 5,     /* between two looks at what is left of it */
	CLEAR_MAX = 1000, /* looks: then it is let go */
	FREE_MAX = 50,    /* the same, while the loop waits */
};

struct command {
	struct loop *loop;
	void (*ended)(void *context, const struct process_end *end);
	void *context;
	struct process process;
	struct process_end end;
	struct bounds bounds;
	bool bounded;           /* `bounds` are made */
	struct env_timer timer; /* the next look at what is left */
	int looks;
	struct loop_watch *end_watch, *output_watch;
	int output_fd;
	int files[CHECK_SECRETS_MAX]; /* of secrets that are files */
	uint32_t file_count;
	char place[PATH_SIZE]; /* the same, of another user: their directory; "": none */
	struct mask *mask;     /* NULL: there is nothing to hide; so is the next one */
	struct mask_stream *stream;
	char said[COMMAND_SAID_MAX + 1]; /* the end of what it wrote, masked */
	size_t said_size;
};

/* --- what it is given */

/* "NAME=value" or "NAME=path", at the end of the list. */
static void put_setting(struct buf *settings, const struct check_secret *secret, const char *value)
{
	buf_init(settings, SETTING_MAX);
	settings->secret = true;
	buf_printf(settings, "%s=%s", secret->name, value);
}

/* Nobody's but its user's; what is in it comes before it is given away. */
static int make_place(struct command *c, const char *memory, struct error *err)
{
	char path[MEMORY_PATH_SIZE];
	if (c->place[0])
		return 0;
	int code = memory_directory_make(memory, path, err);
	if (code < 0)
		return code;
	snprintf(c->place, sizeof c->place, "%s/%s", path, strchr(c->bounds.mark, '=') + 1);
	if (mkdir(c->place, 0700) == 0)
		return 0;
	code = error_errno(err, errno, "The directory of a check's secrets cannot be made");
	c->place[0] = '\0';
	return code;
}

/* To be opened by another user, who cannot look into davit's own descriptors. */
static int give_place(struct command *c, const char *memory, const struct check_secret *secret,
		      const struct buf *value, struct buf *setting, struct error *err)
{
	char path[PATH_SIZE + CHECK_NAME_SIZE];
	const struct process_user *user = &c->bounds.user;
	int code = make_place(c, memory, err);
	if (code < 0)
		return code;
	snprintf(path, sizeof path, "%s/%s", c->place, secret->name);
	code = file_write(AT_FDCWD, path, value->data, value->size, 0400, err);
	if (code == 0 && lchown(path, user->uid, user->gid) != 0)
		code = error_errno(err, errno, "The secret %s cannot be given to its user",
				   secret->name);
	put_setting(setting, secret, path);
	return code;
}

static int give_file(struct command *c, const struct check_secret *secret, const struct buf *value,
		     struct buf *setting, struct error *err)
{
	char path[64];
	int fd;
	int code = memfd_seal("davit-secret", value->data, value->size, &fd, err);
	if (code < 0)
		return code;
	c->files[c->file_count++] = fd;
	/* Ours, not the command's own: what it starts may close what it does not know. */
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fd);
	put_setting(setting, secret, path);
	return 0;
}

static int give_one(struct command *c, const struct command_spec *spec,
		    const struct check_secret *secret, struct buf *setting, struct error *err)
{
	struct buf value;
	buf_init(&value, CHECK_SECRET_MAX);
	value.secret = true;
	int code = spec->secret(spec->context, secret, &value, err);
	if (code == 0 && (value.overflowed || !mask_add(c->mask, buf_text(&value), value.size)))
		code = error_set(err, ERR_INVALID,
				 "The secret %s has less than %d or more than %d bytes, and cannot "
				 "be masked in what the command says.",
				 secret->name, CHECK_SECRET_MIN, CHECK_SECRET_MAX);
	if (code == 0 && !secret->file && memchr(buf_text(&value), '\0', value.size))
		code = error_set(err, ERR_INVALID,
				 "The secret %s has a byte 0 and cannot be a variable; give it "
				 "with \"as: file\".",
				 secret->name);
	if (code == 0 && secret->file && c->bounds.other)
		code = give_place(c, spec->memory, secret, &value, setting, err);
	else if (code == 0 && secret->file)
		code = give_file(c, secret, &value, setting, err);
	else if (code == 0)
		put_setting(setting, secret, buf_text(&value));
	buf_done(&value);
	return code;
}

static int give_all(struct command *c, const struct command_spec *spec,
		    struct buf settings[CHECK_SECRETS_MAX], struct error *err)
{
	int code = 0;
	if (spec->check->secret_count == 0)
		return 0;
	c->mask = mem_new(sizeof *c->mask);
	c->stream = mem_zero(1, sizeof *c->stream);
	mask_init(c->mask);
	for (uint32_t i = 0; i < spec->check->secret_count && code == 0; i++)
		code = give_one(c, spec, &spec->check->secrets[i], &settings[i], err);
	if (code == 0 && c->place[0] &&
	    lchown(c->place, c->bounds.user.uid, c->bounds.user.gid) != 0)
		code = error_errno(err, errno, "Secrets cannot be given to the user of a check");
	return code;
}

/* --- what it says */

static void keep(void *context, const void *bytes, size_t size)
{
	struct command *c = context;
	const char *from = bytes;
	if (size > COMMAND_SAID_MAX) {
		from += size - COMMAND_SAID_MAX;
		size = COMMAND_SAID_MAX;
	}
	size_t room = COMMAND_SAID_MAX - c->said_size, over = size > room ? size - room : 0;
	memmove(c->said, c->said + over, c->said_size - over);
	memcpy(c->said + c->said_size - over, from, size);
	c->said_size += size - over;
	c->said[c->said_size] = '\0';
}

static void close_output(struct command *c)
{
	loop_watch_stop(c->output_watch);
	c->output_watch = NULL;
	if (c->output_fd >= 0)
		close(c->output_fd);
	c->output_fd = -1;
}

/* What there is now, of a command that writes without end a part. */
static void read_output(struct command *c)
{
	char bytes[READ_SIZE];
	ssize_t n;
	for (int turn = 0; turn < TURN_MAX && c->output_fd >= 0; turn++) {
		n = read(c->output_fd, bytes, sizeof bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			close_output(c);
		else if (c->mask)
			mask_feed(c->mask, c->stream, bytes, (size_t)n, keep, c);
		else
			keep(c, bytes, (size_t)n);
	}
	explicit_bzero(bytes, sizeof bytes);
}

static void on_output(void *context, int events)
{
	(void)events;
	read_output(context);
}

/* Nothing of it runs any more, or what does cannot be ended. */
static void cleared(struct command *c)
{
	process_reap(&c->process); /* until here its zombie kept the session's number */
	process_done(&c->process);
	c->process.pid = 0;
	read_output(c);
	close_output(c);
	if (c->mask)
		mask_end(c->mask, c->stream, keep, c);
}

static void clear(void *context)
{
	struct command *c = context;
	struct env *env = loop_env(c->loop);
	if (!bounds_clear(&c->bounds, &c->process) && ++c->looks < CLEAR_MAX) {
		env->ops->timer_start(env, &c->timer, CLEAR_MS);
		return;
	}
	cleared(c);
	c->ended(c->context, &c->end);
}

static void on_end(void *context, int events)
{
	struct command *c = context;
	(void)events;
	if (!process_ended(&c->process, &c->end))
		return;
	loop_watch_stop(c->end_watch);
	c->end_watch = NULL;
	clear(c);
}

/* Nobody waits for its end: while the loop does, and not for long. */
static void end_now(struct command *c)
{
	const struct timespec wait = {.tv_nsec = CLEAR_MS * 1000000L};
	for (int i = 0; !bounds_clear(&c->bounds, &c->process) && i < FREE_MAX; i++)
		nanosleep(&wait, NULL);
	cleared(c);
}

/* --- the interface */

static void fill_variables(const struct command *c, const struct command_spec *spec,
			   const struct buf *settings, const char *home, const char *user,
			   const char **to)
{
	uint32_t count = 0;
	for (; spec->variables[count]; count++)
		to[count] = spec->variables[count];
	to[count++] = c->bounds.mark;
	if (c->bounds.other) {
		to[count++] = home;
		to[count++] = user;
	}
	for (uint32_t i = 0; i < spec->check->secret_count; i++)
		to[count++] = buf_text(&settings[i]);
	to[count] = NULL;
}

static int spawn(struct command *c, const struct command_spec *spec, const struct buf *settings,
		 struct error *err)
{
	const char *const argv[] = {"sh", "-c", spec->check->command, NULL};
	const char *variables[COMMAND_VARIABLES_MAX + 3 + CHECK_SECRETS_MAX + 1];
	char home[sizeof c->bounds.user.home + 8], user[CHECK_USER_SIZE + 8];
	int ends[2];
	snprintf(home, sizeof home, "HOME=%s", c->bounds.user.home);
	snprintf(user, sizeof user, "USER=%s", spec->bounds->user);
	fill_variables(c, spec, settings, home, user, variables);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_errno(err, errno, "No pipe can be made");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	c->output_fd = ends[0];
	struct process_spec process = {.program = "/bin/sh",
				       .argv = argv,
				       .environment = variables,
				       .directory = spec->directory,
				       .input = -1,
				       .output = ends[1],
				       .errors = ends[1]};
	bounds_fill(&c->bounds, &process);
	int code = process_spawn(&process, &c->process, err);
	bounds_filled(&process);
	close(ends[1]);
	if (code == 0)
		code = loop_watch_start(c->loop, c->output_fd, LOOP_READ, on_output, c,
					&c->output_watch, err);
	if (code == 0)
		code = loop_watch_start(c->loop, c->process.pidfd, LOOP_READ, on_end, c,
					&c->end_watch, err);
	return code;
}

int command_start(struct loop *loop, const struct command_spec *spec, struct command **ret_command,
		  struct error *err)
{
	struct buf settings[CHECK_SECRETS_MAX] = {{.data = NULL}};
	struct command *c = mem_zero(1, sizeof *c);
	c->loop = loop;
	c->ended = spec->ended;
	c->context = spec->context;
	c->process = PROCESS_NONE;
	c->output_fd = -1;
	c->timer = (struct env_timer){.fire = clear, .context = c};
	int code = bounds_make(spec->bounds, &c->bounds, err);
	c->bounded = code == 0;
	if (code == 0)
		code = give_all(c, spec, settings, err);
	if (code == 0)
		code = spawn(c, spec, settings, err);
	for (uint32_t i = 0; i < CHECK_SECRETS_MAX; i++)
		buf_done(&settings[i]);
	if (code < 0)
		command_free(c);
	else
		*ret_command = c;
	return code;
}

void command_kill(struct command *c)
{
	if (c->process.pid > 0 && c->end_watch)
		(void)!bounds_clear(&c->bounds, &c->process);
}

bool command_out_of_memory(const struct command *c)
{
	return c->bounds.out_of_memory;
}

const char *command_output(const struct command *c)
{
	return c->said;
}

void command_said(const struct command *c, char *to, size_t size)
{
	size_t end = c->said_size;
	while (end > 0 && strchr(" \t\r\n", c->said[end - 1]))
		end--;
	size_t begin = end;
	while (begin > 0 && c->said[begin - 1] != '\n')
		begin--;
	text_show(c->said + begin, end - begin, to, size);
}

/* Each line as it may be shown, whole where it fits. */
void command_last_lines(const struct command *c, char *to, size_t size)
{
	char line[COMMAND_SAID_MAX];
	size_t end = c->said_size, at = size - 1;
	to[at] = '\0';
	while (end > 0) {
		size_t begin = end - (c->said[end - 1] == '\n'), last = begin;
		while (begin > 0 && c->said[begin - 1] != '\n')
			begin--;
		text_show(c->said + begin, last - begin, line, sizeof line);
		size_t length = strlen(line), breaks = to[at] != '\0';
		if (length + breaks > at)
			break;
		if (breaks)
			to[--at] = '\n';
		memcpy(to + (at -= length), line, length);
		end = begin;
	}
	memmove(to, to + at, size - at);
}

const struct mask *command_mask(const struct command *c)
{
	return c->mask;
}

void command_free(struct command *c)
{
	if (!c)
		return;
	struct env *env = loop_env(c->loop);
	struct error err;
	env->ops->timer_stop(env, &c->timer);
	loop_watch_stop(c->end_watch);
	if (c->process.pid > 0)
		end_now(c);
	close_output(c);
	if (c->bounded)
		bounds_done(&c->bounds);
	if (c->place[0] && file_remove_tree(AT_FDCWD, c->place, &err) < 0)
		log_event(LOG_WARNING, "check.secrets", "error=\"%s\"", err.text);
	for (uint32_t i = 0; i < c->file_count; i++)
		close(c->files[i]);
	if (c->mask) {
		explicit_bzero(c->mask, sizeof *c->mask);
		explicit_bzero(c->stream, sizeof *c->stream);
	}
	free(c->mask);
	free(c->stream);
	free(c);
}
