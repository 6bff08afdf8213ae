/* SPDX-License-Identifier: Apache-2.0
 * process - see process.h for the contract.
 *
 * An instance goes through reach(): connect to its keeper; if there is none, read from its record whether
 * it is over, else start a keeper and come back. A wish is kept until the keeper's status shows it, and is
 * sent again over each new connection. */
#include "drivers/runtime/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/text.h"
#include "drivers/runtime/damaged.h"
#include "link/instance_record.h"
#include "link/keeper_messages.h"
#include "os/channel.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/lock.h"
#include "os/process.h"
#include "os/random.h"

enum {
	REACH_FIRST_MS = 4, /* between attempts to reach a keeper that is starting; doubles */
	REACH_MOST_MS = 250,
	RESPAWN_FIRST_MS = 20, /* before a keeper that died again is started again; doubles */
	RESPAWN_MOST_MS = 5000,
	STEADY_MS = 10000, /* a keeper that lived for so long is started again at once */
	SILENT_MS = 10000, /* one that has not answered for so long no longer holds up settled() */
};

struct process_runtime;

struct instance {
	struct process_runtime *owner;
	struct instance_status status; /* as the keeper told it last */
	struct instance_version spec_version;
	int dir_fd;
	int fd; /* the connection, or -1 */
	struct loop_watch *watch;
	struct env_timer timer; /* reach() */
	struct process keeper;  /* if we have started it */
	struct keeper_want wish;
	bool wishes; /* `wish` has not shown in the status yet */
	bool settled;
	uint32_t attempts; /* to reach it, since the last answer */
	uint32_t deaths;   /* of keepers, without a steady one in between */
	uint64_t spawned_ms;
	uint64_t sought_ms; /* since when it has been sought */
};

struct process_runtime {
	struct runtime runtime; /* first */
	struct loop *loop;
	int state_fd;
	int instances_fd;
	char program[4096];
	char path[4096];                              /* of D/instances */
	struct instance *list[RUNTIME_INSTANCES_MAX]; /* sorted by id */
	size_t count;
	struct instance_status *statuses; /* of the last observation */
	struct env_timer notice;
	bool noticed;                    /* the timer runs */
	char damaged[DAMAGED_NAME_SIZE]; /* put aside by us, the last of them; "" = none */
	char trouble[ERROR_TEXT_MAX];
};

static void timer_in(struct process_runtime *r, struct env_timer *timer, uint64_t after_ms)
{
	struct env *env = loop_env(r->loop);
	env->ops->timer_start(env, timer, after_ms);
}

static void on_notice(void *context)
{
	struct process_runtime *r = context;
	r->noticed = false;
	if (r->runtime.changed)
		r->runtime.changed(r->runtime.context);
}

/* Announce a change a turn later: the owner may call us from there. */
static void notice(struct process_runtime *r)
{
	if (!r->noticed)
		timer_in(r, &r->notice, 0);
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

static struct instance *find(const struct process_runtime *r, const char *id)
{
	size_t at = place_of(r, id);
	return at < r->count && strcmp(r->list[at]->status.id, id) == 0 ? r->list[at] : NULL;
}

static void reach(void *context);

/* Takes over `dir_fd`. */
static struct instance *add(struct process_runtime *r, const struct instance_spec *spec,
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

static void drop(struct instance *i)
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
		timer_in(i->owner, &i->timer, REACH_FIRST_MS);
	}
}

static void send_wish(struct instance *i)
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
	i->status = *status;
	i->settled = true;
	i->attempts = 0;
	if (over || (instance_version_compare(status->applied, i->wish.version) >= 0 &&
		     status->want >= i->wish.want))
		i->wishes = false;
	notice(i->owner);
}

static void take_refusal(struct instance *i, const struct keeper_refused *refused)
{
	if (instance_version_compare(refused->version, i->wish.version) != 0)
		return;
	i->wishes = false;
	text_copy(i->status.sentence, sizeof i->status.sentence, refused->sentence);
	notice(i->owner);
}

static void lost(struct instance *i)
{
	disconnect(i);
	i->sought_ms = clock_now_ms();
	i->attempts = 0;
	timer_in(i->owner, &i->timer, 0);
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
	send_wish(i);
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

static int spawn_keeper(struct instance *i, bool first, struct error *err)
{
	struct process_runtime *r = i->owner;
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
	struct buf text;
	struct error err;
	struct instance_record record;
	buf_init(&text, RECORD_MAX_BYTES);
	bool over = file_read(i->dir_fd, "state", &text, &err) == 0 &&
		    instance_record_read(buf_text(&text), text.size, &record, &err) == 0 &&
		    instance_state_over(record.state) &&
		    instance_version_compare(i->spec_version, record.applied) <= 0;
	buf_done(&text);
	if (!over)
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
		timer_in(i->owner, &i->timer, due - now);
		return;
	}
	i->deaths++;
	i->attempts = 0;
	if (spawn_keeper(i, false, &err) < 0) {
		text_copy(i->status.sentence, sizeof i->status.sentence, err.text);
		i->settled = true; /* more cannot be known of it now */
		notice(i->owner);
	}
	timer_in(i->owner, &i->timer, REACH_FIRST_MS);
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
		notice(i->owner);
	}
	timer_in(i->owner, &i->timer, doubled(REACH_FIRST_MS, i->attempts++, REACH_MOST_MS));
}

/* ---- the interface ---- */

static struct process_runtime *of(struct runtime *runtime)
{
	return (struct process_runtime *)runtime;
}

static int write_spec(int dir_fd, const struct instance_spec *spec, struct instance_version version,
		      struct error *err)
{
	struct buf text;
	buf_init(&text, INSTANCE_SPEC_MAX_BYTES);
	int code = instance_spec_write(spec, version, &text, err);
	if (code == 0)
		code = file_write(dir_fd, "spec.json", buf_text(&text), text.size, 0600, err);
	buf_done(&text);
	return code;
}

/* Another user's program must be able to reach what is its own in the state directory, by its name: let
 * everybody pass through, and see nothing. */
static int let_pass(struct process_runtime *r, struct error *err)
{
	static const char *const names[] = {".", "instances", "persist"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct stat about;
		if (fstatat(r->state_fd, names[i], &about, 0) != 0)
			continue; /* no persistent paths yet: they are made passable */
		mode_t mode = (about.st_mode & 07777) | S_IXGRP | S_IXOTH;
		if (mode != (about.st_mode & 07777) &&
		    fchmodat(r->state_fd, names[i], mode, 0) != 0)
			return error_errno(err, errno,
					   "\"%s\" cannot be opened to the user of an instance",
					   names[i]);
	}
	return 0;
}

static int check_user(struct process_runtime *r, const struct instance_spec *spec,
		      struct error *err)
{
	struct process_user user;
	if (!spec->user)
		return 0;
	if (geteuid() != 0)
		return error_set(
			err, ERR_DENIED,
			"Only root can run a program as user \"%s\": start davit as root, or "
			"remove `user` from davit.yaml.",
			spec->user);
	int code = process_user_find(spec->user, &user, err);
	return code == 0 ? let_pass(r, err) : code;
}

static int make_directory(struct process_runtime *r, const char *id, int *ret_fd, struct error *err)
{
	/* Others may pass through: an instance may run as another user. */
	if (mkdirat(r->instances_fd, id, 0700) != 0 ||
	    fchmodat(r->instances_fd, id, 0711, 0) != 0 || fsync(r->instances_fd) != 0)
		return error_errno(err, errno, "The directory of instance \"%s\" cannot be made",
				   id);
	return file_open_directory(r->instances_fd, id, ret_fd, err);
}

static int start_new(struct process_runtime *r, const struct instance_spec *spec,
		     struct instance_version version, struct error *err)
{
	int dir_fd = -1;
	struct error why;
	if (r->count == RUNTIME_INSTANCES_MAX)
		return error_set(err, ERR_LIMIT, "There are %d instances already.",
				 RUNTIME_INSTANCES_MAX);
	int code = make_directory(r, spec->id, &dir_fd, err);
	if (code < 0)
		return code;
	code = write_spec(dir_fd, spec, version, err);
	if (code < 0) {
		close(dir_fd);
		int removed = file_remove_tree(r->instances_fd, spec->id, &why);
		(void)removed; /* if not now, then when the driver starts */
		return code;
	}
	FAILPOINT("runtime.after-spec");
	struct instance *i = add(r, spec, version, dir_fd);
	i->settled = true; /* we know all there is */
	i->deaths = 1;
	if (spawn_keeper(i, true, &why) < 0) /* tried again */
		text_copy(i->status.sentence, sizeof i->status.sentence, why.text);
	FAILPOINT("runtime.after-spawn");
	timer_in(r, &i->timer, REACH_FIRST_MS);
	notice(r);
	return 0;
}

/* It is over: a newer document may begin it anew. */
static int start_again(struct instance *i, const struct instance_spec *spec,
		       struct instance_version version, struct error *err)
{
	int order = instance_version_compare(version, i->status.applied);
	if (order == 0 && i->status.want == INSTANCE_KEEP)
		return 0; /* this very document's instance, which has failed */
	if (order <= 0)
		return error_set(err, ERR_CONFLICT, "A newer document has been applied already.");
	int code = write_spec(i->dir_fd, spec, version, err);
	if (code < 0)
		return code;
	i->spec_version = version;
	instance_status_init(&i->status, spec, version);
	i->wishes = false;
	i->deaths = 0;
	if (i->fd < 0)
		timer_in(i->owner, &i->timer, 0);
	notice(i->owner);
	return 0;
}

/* Take a wish, and send it on. What is not acknowledged yet counts as if it were. */
static int ask(struct instance *i, enum instance_want want, struct instance_version version,
	       bool undrained, struct error *err)
{
	struct instance_status now = i->status;
	if (i->wishes) {
		now.applied = i->wish.version;
		now.want = i->wish.want;
	}
	int code = instance_want_check(&now, version, want, undrained, err);
	if (code < 0)
		return code;
	i->wish = (struct keeper_want){.version = version, .want = want, .undrained = undrained};
	i->wishes =
		instance_version_compare(version, i->status.applied) != 0 || want != i->status.want;
	send_wish(i);
	return 0;
}

static int start(struct runtime *runtime, const struct instance_spec *spec,
		 struct instance_version version, struct error *err)
{
	struct process_runtime *r = of(runtime);
	int code = instance_spec_check(spec, err);
	if (code == 0)
		code = check_user(r, spec, err);
	if (code < 0)
		return code;
	struct instance *i = find(r, spec->id);
	if (!i)
		return start_new(r, spec, version, err);
	if (instance_state_over(i->status.state))
		return start_again(i, spec, version, err);
	return ask(i, INSTANCE_KEEP, version, false, err);
}

static int ask_by_id(struct runtime *runtime, const char *id, enum instance_want want,
		     struct instance_version version, bool undrained, struct error *err)
{
	struct instance *i = find(of(runtime), id);
	if (!i)
		return error_set(err, ERR_NOT_FOUND, "There is no instance \"%s\".", id);
	if (instance_state_over(i->status.state))
		return 0; /* what could be asked of it has come about */
	return ask(i, want, version, undrained, err);
}

static int drain(struct runtime *runtime, const char *id, struct instance_version version,
		 struct error *err)
{
	return ask_by_id(runtime, id, INSTANCE_DRAIN, version, false, err);
}

static int stop(struct runtime *runtime, const char *id, struct instance_version version,
		bool undrained, struct error *err)
{
	return ask_by_id(runtime, id, INSTANCE_STOP, version, undrained, err);
}

/* Out of sight first, in one step; a keeper that is just leaving does not mind. */
static int remove_directory(struct process_runtime *r, const char *id, struct error *err)
{
	char random[17], away[32];
	snprintf(away, sizeof away, ".gone-%s", random_hex(random, sizeof random));
	if (renameat(r->instances_fd, id, r->instances_fd, away) != 0)
		return errno == ENOENT ? 0
				       : error_errno(err, errno,
						     "The instance \"%s\" cannot be removed", id);
	return file_remove_tree(r->instances_fd, away, err);
}

static int forget(struct runtime *runtime, const char *id, struct error *err)
{
	struct process_runtime *r = of(runtime);
	struct instance *i = find(r, id);
	if (!i)
		return 0;
	if (!instance_state_over(i->status.state))
		return error_set(err, ERR_CONFLICT,
				 "The instance \"%s\" is not over: stop it first.", id);
	int code = remove_directory(r, i->status.id, err);
	if (code < 0)
		return code;
	drop(i);
	notice(r);
	return 0;
}

static size_t observe(struct runtime *runtime, const struct instance_status **ret_statuses)
{
	struct process_runtime *r = of(runtime);
	for (size_t i = 0; i < r->count; i++)
		r->statuses[i] = r->list[i]->status;
	*ret_statuses = r->statuses;
	return r->count;
}

static bool settled(struct runtime *runtime)
{
	struct process_runtime *r = of(runtime);
	for (size_t i = 0; i < r->count; i++)
		if (!r->list[i]->settled)
			return false;
	return true;
}

/* Until somebody has looked at it, and removed it. */
static const char *trouble(struct runtime *runtime)
{
	struct process_runtime *r = of(runtime);
	if (r->damaged[0] && faccessat(r->instances_fd, r->damaged, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		r->damaged[0] = '\0';
	if (!r->damaged[0])
		return "";
	snprintf(r->trouble, sizeof r->trouble,
		 "An instance's files were damaged: look at %s/%s, then remove it.", r->path,
		 r->damaged);
	return r->trouble;
}

static void runtime_free(struct runtime *runtime)
{
	struct process_runtime *r = of(runtime);
	struct env *env = loop_env(r->loop);
	while (r->count > 0)
		drop(r->list[r->count - 1]);
	env->ops->timer_stop(env, &r->notice);
	close(r->instances_fd);
	free(r->statuses);
	free(r);
}

static const struct runtime_ops ops = {
	.name = "process",
	.start = start,
	.drain = drain,
	.stop = stop,
	.forget = forget,
	.observe = observe,
	.settled = settled,
	.trouble = trouble,
	.free = runtime_free,
};

/* ---- what an earlier controller left ---- */

static int read_spec(int dir_fd, struct instance_spec *ret_spec,
		     struct instance_version *ret_version, struct error *err)
{
	struct buf text;
	buf_init(&text, INSTANCE_SPEC_MAX_BYTES);
	int code = file_read(dir_fd, "spec.json", &text, err);
	if (code == 0)
		code = instance_spec_read(buf_text(&text), text.size, ret_spec, ret_version, err);
	buf_done(&text);
	return code;
}

static int take_up(struct process_runtime *r, const char *id, struct error *err)
{
	int dir_fd;
	struct instance_spec spec;
	struct instance_version version;
	int code = file_open_directory(r->instances_fd, id, &dir_fd, err);
	if (code < 0)
		return code;
	code = read_spec(dir_fd, &spec, &version, err);
	if (code == 0 && strcmp(spec.id, id) == 0 && r->count < RUNTIME_INSTANCES_MAX) {
		struct instance *i = add(r, &spec, version, dir_fd);
		timer_in(r, &i->timer, 0);
		instance_spec_done(&spec);
		return 0;
	}
	close(dir_fd);
	if (code == ERR_NOT_FOUND) /* killed before it was written: nothing was started */
		return file_remove_tree(r->instances_fd, id, err);
	if (code == 0)
		instance_spec_done(&spec);
	return code < 0 ? error_prefix(err, "Instance \"%s\"", id)
			: error_set(err, ERR_CORRUPT, "\"%s\" is not an instance's directory.", id);
}

/* One damaged directory must not keep all others from being looked after, nor its slot from being filled. */
static int take_up_or_put_aside(struct process_runtime *r, const char *id, struct error *err)
{
	struct error why;
	int code = take_up(r, id, err);
	if (code != ERR_CORRUPT && code != ERR_INVALID)
		return code;
	if (damaged_put_aside(r->instances_fd, id, r->damaged, &why) == 0) {
		log_event(LOG_ERROR, "runtime.damaged",
			  "directory=\"%s/%s\" error=\"%s\" next=\"it was ended, and is now %s\"",
			  r->path, id, err->text, r->damaged);
		return 0;
	}
	log_event(LOG_ERROR, "runtime.damaged",
		  "directory=\"%s/%s\" error=\"%s\" why=\"%s\" next=\"end its processes and remove "
		  "it\"",
		  r->path, id, err->text, why.text);
	text_copy(r->damaged, sizeof r->damaged, id);
	return 0;
}

static int scan(struct process_runtime *r, struct error *err)
{
	int fd = openat(r->instances_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all = fd < 0 ? NULL : fdopendir(fd);
	if (!all)
		return error_errno(err, errno, "The directory of instances cannot be read");
	int code = 0;
	for (struct dirent *entry; code == 0 && (entry = readdir(all));) {
		if (text_starts(entry->d_name, ".gone-"))
			code = file_remove_tree(r->instances_fd, entry->d_name, err);
		else if (instance_id_valid(entry->d_name))
			code = take_up_or_put_aside(r, entry->d_name, err);
	}
	closedir(all);
	return code;
}

static int find_path(struct process_runtime *r, struct error *err)
{
	char link[40];
	snprintf(link, sizeof link, "/proc/self/fd/%d", r->instances_fd);
	ssize_t size = readlink(link, r->path, sizeof r->path - 1);
	if (size <= 0 || (size_t)size >= sizeof r->path - 1)
		return error_errno(err, errno, "The directory of instances cannot be named");
	r->path[size] = '\0';
	return 0;
}

int runtime_process_new(struct loop *loop, int state_fd, const char *program,
			struct runtime **ret_runtime, struct error *err)
{
	int instances_fd;
	int code = file_make_directories(state_fd, "instances", 0711, err);
	if (code == 0)
		code = file_open_directory(state_fd, "instances", &instances_fd, err);
	if (code < 0)
		return code;
	struct process_runtime *r = mem_zero(1, sizeof *r);
	r->runtime.ops = &ops;
	r->loop = loop;
	r->state_fd = state_fd;
	r->instances_fd = instances_fd;
	r->notice = (struct env_timer){.fire = on_notice, .context = r};
	r->statuses = mem_zero(RUNTIME_INSTANCES_MAX, sizeof *r->statuses);
	text_copy(r->program, sizeof r->program, program ? program : "/proc/self/exe");
	code = find_path(r, err);
	if (code == 0)
		code = scan(r, err);
	if (code < 0) {
		runtime_free(&r->runtime);
		return code;
	}
	*ret_runtime = &r->runtime;
	return 0;
}
