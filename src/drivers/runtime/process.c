/* SPDX-License-Identifier: Apache-2.0
 * process - see process.h for the contract. Here: the interface, and what an earlier controller left. */
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
#include "drivers/runtime/process_state.h"
#include "link/instance_record.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/random.h"

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
	if (code == 0)
		code = delivery_make(&r->delivery, dir_fd, spec, &r->runtime, err);
	if (code < 0) {
		delivery_remove(dir_fd);
		close(dir_fd);
		int removed = file_remove_tree(r->instances_fd, spec->id, &why);
		(void)removed; /* if not now, then when the driver starts */
		return code;
	}
	FAILPOINT("runtime.after-spec");
	struct instance *i = runtime_process_add(r, spec, version, dir_fd);
	i->settled = true; /* we know all there is */
	i->deaths = 1;
	if (runtime_process_spawn_keeper(i, true, &why) < 0) /* tried again */
		text_copy(i->status.sentence, sizeof i->status.sentence, why.text);
	FAILPOINT("runtime.after-spawn");
	runtime_process_timer(r, &i->timer, REACH_FIRST_MS);
	runtime_process_notice(r);
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
		runtime_process_timer(i->owner, &i->timer, 0);
	runtime_process_notice(i->owner);
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
	runtime_process_send_wish(i);
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
	struct instance *i = runtime_process_find(r, spec->id);
	if (!i)
		return start_new(r, spec, version, err);
	if (instance_state_over(i->status.state))
		return start_again(i, spec, version, err);
	return ask(i, INSTANCE_KEEP, version, false, err);
}

static int ask_by_id(struct runtime *runtime, const char *id, enum instance_want want,
		     struct instance_version version, bool undrained, struct error *err)
{
	struct instance *i = runtime_process_find(of(runtime), id);
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
	struct instance *i = runtime_process_find(r, id);
	if (!i)
		return 0;
	if (!instance_state_over(i->status.state))
		return error_set(err, ERR_CONFLICT,
				 "The instance \"%s\" is not over: stop it first.", id);
	int code = remove_directory(r, i->status.id, err);
	if (code < 0)
		return code;
	runtime_process_drop(i);
	runtime_process_notice(r);
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

static size_t measure(struct runtime *runtime, const struct runtime_usage **ret_usages)
{
	struct process_runtime *r = of(runtime);
	struct usage_processes all = {0};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	for (size_t k = 0; k < r->count; k++) {
		struct instance *i = r->list[k];
		struct runtime_usage *to = &r->usages[k];
		*to = (struct runtime_usage){
			.at_ms = clock_now_ms(),
			.machine_milli = processors > 0 ? (uint32_t)processors * 1000 : 0};
		text_copy(to->id, sizeof to->id, i->status.id);
		measure_take(&i->measure, i->dir_fd, i->status.pid, &all, to);
	}
	usage_processes_done(&all);
	*ret_usages = r->usages;
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
		runtime_process_drop(r->list[r->count - 1]);
	env->ops->timer_stop(env, &r->notice);
	close(r->instances_fd);
	delivery_close(&r->delivery);
	free(r->statuses);
	free(r->usages);
	free(r);
}

static const struct runtime_ops ops = {
	.name = "process",
	.start = start,
	.drain = drain,
	.stop = stop,
	.forget = forget,
	.observe = observe,
	.measure = measure,
	.settled = settled,
	.trouble = trouble,
	.free = runtime_free,
};

/* ---- what an earlier controller left ---- */

int runtime_process_read_spec(int dir_fd, struct instance_spec *ret_spec,
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
	code = runtime_process_read_spec(dir_fd, &spec, &version, err);
	if (code == 0 && strcmp(spec.id, id) == 0 && r->count < RUNTIME_INSTANCES_MAX) {
		struct instance *i = runtime_process_add(r, &spec, version, dir_fd);
		runtime_process_timer(r, &i->timer, 0);
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
	bool sure;
	if (damaged_put_aside(r->instances_fd, id, r->damaged, &sure, &why) == 0) {
		log_event(LOG_ERROR, "runtime.damaged",
			  "directory=\"%s/%s\" error=\"%s\" next=\"%s, and is now %s\"", r->path,
			  id, err->text,
			  sure ? "it was ended"
			       : "what carries its mark was ended, look whether anything of it "
				 "still runs",
			  r->damaged);
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
		else if (damaged_name(entry->d_name))
			text_copy(r->damaged, sizeof r->damaged, entry->d_name);
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

static bool has_place(void *context, const char *place)
{
	const struct process_runtime *r = context;
	for (size_t i = 0; i < r->count; i++) {
		struct stat about;
		char own[RECORD_PLACE_SIZE];
		if (fstat(r->list[i]->dir_fd, &about) != 0)
			return true;
		instance_record_place(r->list[i]->status.id, about.st_dev, about.st_ino, own);
		if (strcmp(own, place) == 0)
			return true;
	}
	return false;
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
	r->notice = (struct env_timer){.fire = runtime_process_noticed, .context = r};
	r->statuses = mem_zero(RUNTIME_INSTANCES_MAX, sizeof *r->statuses);
	r->usages = mem_zero(RUNTIME_INSTANCES_MAX, sizeof *r->usages);
	text_copy(r->program, sizeof r->program, program ? program : "/proc/self/exe");
	code = find_path(r, err);
	if (code == 0)
		code = scan(r, err);
	delivery_open(&r->delivery, state_fd);
	if (code == 0)
		delivery_sweep(&r->delivery, has_place, r);
	if (code < 0) {
		runtime_free(&r->runtime);
		return code;
	}
	*ret_runtime = &r->runtime;
	return 0;
}
