/* SPDX-License-Identifier: Apache-2.0
 * process_keepers - see process_state.h for the contract.
 *
 * An instance goes through reach(): connect to its keeper; if there is none, read from its record whether
 * it is over, else start a keeper and come back. A wish is kept until the keeper's status shows it, and is
 * sent again over each new connection. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "drivers/runtime/process_state.h"
#include "os/channel.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/lock.h"

enum {
	REACH_MOST_MS = 250,   /* between attempts to reach a keeper */
	RESPAWN_FIRST_MS = 20, /* before a keeper that died again is started again; doubles */
	RESPAWN_MOST_MS = 5000,
	STEADY_MS = 10000, /* a keeper that lived for so long is started again at once */
	SILENT_MS = 10000, /* one that has not answered for so long no longer holds up settled() */
};

void runtime_process_timer(struct process_runtime *r, struct env_timer *timer, uint64_t after_ms)
{
	struct env *env = loop_env(r->loop);
	env->ops->timer_start(env, timer, after_ms);
}

void runtime_process_noticed(void *context)
{
	struct process_runtime *r = context;
	r->noticed = false;
	if (r->runtime.changed)
		r->runtime.changed(r->runtime.context);
}

void runtime_process_notice(struct process_runtime *r)
{
	if (!r->noticed)
		runtime_process_timer(r, &r->notice, 0);
	r->noticed = true;
}

/* ---- the list ---- */

static size_t place_of(const struct process_runtime *r, const char *id)
{
	size_t low = 0, high = r->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (strcmp(r->list[middle]->status.id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct instance *runtime_process_find(const struct process_runtime *r, const char *id)
{
	size_t at = place_of(r, id);
	return at < r->count && strcmp(r->list[at]->status.id, id) == 0 ? r->list[at] : NULL;
}

static void reach(void *context);

struct instance *runtime_process_add(struct process_runtime *r, const struct instance_spec *spec,
				     struct instance_version version, int dir_fd)
{
	struct instance *i = mem_zero(1, sizeof *i);
	instance_status_init(&i->status, spec, version);
	i->owner = r;
	i->spec_version = version;
	i->dir_fd = dir_fd;
	i->fd = -1;
	i->keeper = PROCESS_NONE;
	i->timer = (struct env_timer){.fire = reach, .context = i};
	i->sought_ms = clock_now_ms();
	size_t at = place_of(r, spec->id);
	memmove(r->list + at + 1, r->list + at, (r->count - at) * sizeof r->list[0]);
	r->list[at] = i;
	r->count++;
	return i;
}

static void disconnect(struct instance *i)
{
	loop_watch_stop(i->watch);
	i->watch = NULL;
	if (i->fd >= 0)
		close(i->fd);
	i->fd = -1;
}

void runtime_process_drop(struct instance *i)
{
	struct process_runtime *r = i->owner;
	struct env *env = loop_env(r->loop);
	size_t at = place_of(r, i->status.id);
	memmove(r->list + at, r->list + at + 1, (r->count - at - 1) * sizeof r->list[0]);
	r->count--;
	disconnect(i);
	env->ops->timer_stop(env, &i->timer);
	process_done(&i->keeper);
	close(i->dir_fd);
	free(i);
}

/* ---- conversation ---- */

static void send_message(struct instance *i, const struct keeper_message *message)
{
	char bytes[KEEPER_MESSAGE_MAX];
	struct error err;
	size_t size = keeper_message_write(message, bytes);
	/* A keeper that takes nothing is as good as gone: all is said again on a new connection. */
	if (i->fd >= 0 && channel_send(i->fd, bytes, size, NULL, 0, &err) < 0) {
		disconnect(i);
		runtime_process_timer(i->owner, &i->timer, REACH_FIRST_MS);
	}
}

void runtime_process_send_wish(struct instance *i)
{
	struct keeper_message message = {.kind = KEEPER_WANT, .want = i->wish};
	if (i->wishes)
		send_message(i, &message);
}

static void take_status(struct instance *i, const struct instance_status *status)
{
	struct keeper_message forget = {.kind = KEEPER_FORGET};
	bool over = instance_state_over(status->state);
	if (strcmp(status->id, i->status.id) != 0)
		return;
	if (over)
		send_message(i, &forget); /* it may leave */
	if (over && instance_version_compare(i->spec_version, status->applied) > 0)
		return; /* the last life of it; a newer one is about to begin */
	if (over)
		delivery_remove(i->dir_fd);
	i->status = *status;
	i->settled = true;
	i->attempts = 0;
	if (over || (instance_version_compare(status->applied, i->wish.version) >= 0 &&
		     status->want >= i->wish.want))
		i->wishes = false;
	runtime_process_notice(i->owner);
}

static void take_refusal(struct instance *i, const struct keeper_refused *refused)
{
	if (instance_version_compare(refused->version, i->wish.version) != 0)
		return;
	i->wishes = false;
	text_copy(i->status.sentence, sizeof i->status.sentence, refused->sentence);
	runtime_process_notice(i->owner);
}

static void lost(struct instance *i)
{
	disconnect(i);
	i->sought_ms = clock_now_ms();
	i->attempts = 0;
	runtime_process_timer(i->owner, &i->timer, 0);
}

static void on_message(void *context, int events)
{
	static char bytes[CHANNEL_MESSAGE_MAX]; /* one thread; too large for a stack */
	struct instance *i = context;
	(void)events;
	while (i->fd >= 0) {
		struct error err;
		struct keeper_message message;
		int size = channel_receive(i->fd, bytes, NULL, NULL, &err);
		if (size == ERR_RETRY)
			return;
		if (size < 0 || keeper_message_read(bytes, (size_t)size, &message, &err) < 0) {
			lost(i);
			return;
		}
		if (message.kind == KEEPER_STATUS)
			take_status(i, &message.status);
		else if (message.kind == KEEPER_REFUSED)
			take_refusal(i, &message.refused);
	}
}

static bool connect_keeper(struct instance *i)
{
	struct keeper_message hello = {.kind = KEEPER_WATCH};
	struct channel_peer peer;
	struct error err;
	if (channel_connect(i->dir_fd, "keeper.sock", &i->fd, &peer, &err) < 0)
		return false;
	if (loop_watch_start(i->owner->loop, i->fd, LOOP_READ, on_message, i, &i->watch, &err) <
	    0) {
		disconnect(i);
		return false;
	}
	send_message(i, &hello);
	runtime_process_send_wish(i);
	return i->fd >= 0;
}

/* ---- keepers ---- */

extern char **environ;

/* Our environment. A failpoint is for the first keeper only: the next one is to get past it. */
static const char *const *keeper_environment(bool first)
{
	static const char *list[1024];
	size_t count = 0;
	for (char **at = environ; *at && count + 1 < sizeof list / sizeof list[0]; at++)
		if (first || !text_starts(*at, "DAVIT_FAILPOINT="))
			list[count++] = *at;
	list[count] = NULL;
	return list;
}

/* The values are asked for here, where the last moment before its program starts is. */
static int deliver(struct instance *i, struct error *err)
{
	struct process_runtime *r = i->owner;
	struct instance_spec spec;
	struct instance_version ignored;
	int code = runtime_process_read_spec(i->dir_fd, &spec, &ignored, err);
	if (code == 0) {
		code = delivery_make(&r->delivery, i->dir_fd, &spec, &r->runtime, err);
		instance_spec_done(&spec);
	}
	return code;
}

int runtime_process_spawn_keeper(struct instance *i, bool first, struct error *err)
{
	struct process_runtime *r = i->owner;
	int delivered = deliver(i, err);
	if (delivered < 0)
		return delivered;
	char directory[sizeof r->path + INSTANCE_ID_SIZE + 1];
	snprintf(directory, sizeof directory, "%s/%s", r->path, i->status.id);
	const char *const argv[] = {"davit", "keeper", "--dir", directory, NULL};
	AUTO_CLOSE int log_fd =
		openat(i->dir_fd, "keeper.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	struct process_spec spec = {.program = r->program,
				    .argv = argv,
				    .environment = keeper_environment(first),
				    .directory = "/",
				    .input = -1,
				    .output = log_fd,
				    .errors = log_fd,
				    .detached = true};
	process_done(&i->keeper);
	i->spawned_ms = clock_now_ms();
	int code = process_spawn(&spec, &i->keeper, err);
	return code < 0 ? error_prefix(err, "The keeper of \"%s\" cannot be started", i->status.id)
			: 0;
}

/* Is there a keeper, starting or leaving? */
static bool has_keeper(const struct instance *i)
{
	struct process_about about;
	return lock_held(i->dir_fd, "lock") ||
	       (i->keeper.pid > 0 && process_look(i->keeper.pid, &about) &&
		about.start == i->keeper.start && !about.zombie);
}

/* Nobody keeps it: it may be over, which its record says. */
static bool read_last_word(struct instance *i)
{
	struct instance_record record;
	if (!measure_read_record(i->dir_fd, &record) || !instance_state_over(record.state) ||
	    instance_version_compare(i->spec_version, record.applied) > 0)
		return false;
	struct instance_status told = i->status;
	told.pid = 0;
	told.healthy = false;
	told.ready_since_ms = 0;
	instance_record_tell(&record, &told);
	if (told.state_since_ms > clock_now_ms())
		told.state_since_ms = 0; /* of an earlier boot */
	take_status(i, &told);
	return true;
}

static uint64_t doubled(uint64_t first_ms, uint32_t times, uint64_t most_ms)
{
	while (times-- > 0 && first_ms < most_ms)
		first_ms *= 2;
	return first_ms < most_ms ? first_ms : most_ms;
}

static void respawn(struct instance *i)
{
	struct error err;
	uint64_t now = clock_now_ms();
	if (i->spawned_ms != 0 && now - i->spawned_ms >= STEADY_MS)
		i->deaths = 0;
	uint64_t pause = doubled(RESPAWN_FIRST_MS, i->deaths, RESPAWN_MOST_MS);
	uint64_t due = i->deaths == 0 ? 0 : i->spawned_ms + pause;
	if (now < due) {
		runtime_process_timer(i->owner, &i->timer, due - now);
		return;
	}
	i->deaths++;
	i->attempts = 0;
	if (runtime_process_spawn_keeper(i, false, &err) < 0) {
		text_copy(i->status.sentence, sizeof i->status.sentence, err.text);
		i->settled = true; /* more cannot be known of it now */
		runtime_process_notice(i->owner);
	}
	runtime_process_timer(i->owner, &i->timer, REACH_FIRST_MS);
}

static void reach(void *context)
{
	struct instance *i = context;
	if (i->fd >= 0 || (i->settled && instance_state_over(i->status.state)) || connect_keeper(i))
		return;
	if (!has_keeper(i)) {
		if (!read_last_word(i))
			respawn(i);
		return;
	}
	if (!i->settled && clock_now_ms() - i->sought_ms >= SILENT_MS) {
		i->settled = true;
		runtime_process_notice(i->owner);
	}
	runtime_process_timer(i->owner, &i->timer,
			      doubled(REACH_FIRST_MS, i->attempts++, REACH_MOST_MS));
}
