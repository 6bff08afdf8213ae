/* SPDX-License-Identifier: Apache-2.0
 * keeper - see keeper.h for the contract.
 *
 * life.c decides, this file does: it feeds what happens (probes, exits, wishes, time) to struct life and
 * carries out what comes back, in settle(). Before anything that another keeper could not find out by
 * itself the record is written: the mark and the port before a start, the pid before the program runs, a
 * wish before it is acknowledged. */
#include "keeper/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/text.h"
#include "keeper/keeper_state.h"
#include "keeper/place.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/lock.h"

enum {
	RETRY_MS = 1000,      /* after the record could not be written */
	EAGER_PROBE_MS = 100, /* between probes of a program that has not been healthy yet */
	TALLY_MS = 1000,      /* a count of log lines alone is not told more often */
};

void keeper_say(struct keeper *k, const char *text)
{
	text_copy(k->sentence, sizeof k->sentence, text);
}

void keeper_tell(struct keeper *k, const char *text)
{
	keeper_say(k, text);
	output_note(&k->output, "%s", text);
}

void keeper_timer(struct keeper *k, struct env_timer *timer, uint64_t after_ms)
{
	struct env *env = loop_env(k->loop);
	env->ops->timer_start(env, timer, after_ms);
}

void keeper_probe_in(struct keeper *k, uint64_t after_ms)
{
	if (k->spec.health.kind != INSTANCE_HEALTH_NONE)
		keeper_timer(k, &k->probe_timer, after_ms);
}

static void stop_probing(struct keeper *k)
{
	struct env *env = loop_env(k->loop);
	env->ops->timer_stop(env, &k->probe_timer);
	probe_cancel(&k->probe);
}

int keeper_find_user(struct keeper *k, struct error *err)
{
	k->program.user = NULL;
	if (!k->spec.user)
		return 0;
	if (geteuid() != 0)
		return error_set(
			err, ERR_DENIED,
			"Only root can run a program as user \"%s\": start davit as root, or "
			"remove `user` from davit.yaml.",
			k->spec.user);
	int code = process_user_find(k->spec.user, &k->user, err);
	if (code == 0)
		k->program.user = &k->user;
	return code;
}

static int keep_port(void *context, struct error *err)
{
	return keeper_write_record(context, err);
}

static int prepare(struct keeper *k, struct error *err)
{
	uid_t uid = k->program.user ? k->user.uid : (uid_t)-1;
	gid_t gid = k->program.user ? k->user.gid : (gid_t)-1;
	int code = place_make(k->dir_fd, &k->spec, uid, gid, err);
	if (code == 0)
		code = output_give(&k->output, uid, gid, err);
	if (code == 0 && k->spec.traffic)
		code = place_port(k->dir_fd, &k->port, keep_port, k, err);
	if (code == 0)
		code = program_start(&k->program, k->port, err);
	return code;
}

static void note_start(struct keeper *k)
{
	const char *note = k->program.note;
	if (k->port)
		output_note(&k->output, "started as process %d, with port %u",
			    (int)k->program.process.pid, k->port);
	else
		output_note(&k->output, "started as process %d", (int)k->program.process.pid);
	if (note[0])
		output_note(&k->output, "%s", note);
	keeper_say(k, note[0] ? note : "Started.");
}

/* No such file, no permission, nothing that can be run: trying again would tell the same. */
static bool stays(int code)
{
	return code == ERR_NOT_FOUND || code == ERR_DENIED || code == ERR_INVALID;
}

static void start(struct keeper *k)
{
	struct error err;
	FAILPOINT("keeper.before-start");
	k->refused = false;
	if (keeper_find_user(k, &err) < 0) {
		keeper_tell(k, err.text);
		life_give_up(&k->life);
		return;
	}
	int code = prepare(k, &err);
	if (code < 0) {
		keeper_tell(k, err.text);
		if (code == ERR_NO_SPACE) /* the program is not to blame */
			life_postponed(&k->life, clock_now_ms() + RETRY_MS);
		else if (stays(code))
			life_refused(&k->life, &k->spec, clock_now_ms());
		else
			life_ended(&k->life, &k->spec, clock_now_ms());
		return;
	}
	if (keeper_write_record(k, &err) < 0) {
		program_discard(&k->program);
		keeper_tell(k, err.text);
		life_postponed(&k->life, clock_now_ms() + RETRY_MS);
		return;
	}
	FAILPOINT("keeper.after-record");
	code = program_release(&k->program, &err);
	if (code < 0) {
		k->refused = stays(code);
		keeper_tell(k, err.text);
		life_ending(&k->life);
		return;
	}
	FAILPOINT("keeper.after-start");
	life_started(&k->life, &k->spec, clock_now_ms());
	note_start(k);
	keeper_probe_in(k, 0);
}

static void end_program(struct keeper *k, bool at_once)
{
	stop_probing(k);
	life_ending(&k->life);
	program_end(&k->program, at_once);
}

/* It is over: stay until somebody has seen it, but not for ever. */
static void linger(struct keeper *k)
{
	if (!k->leave.handle)
		keeper_timer(k, &k->leave, KEEPER_LINGER_MS);
}

static void act(struct keeper *k)
{
	switch (life_next(&k->life, &k->spec, clock_now_ms())) {
	case LIFE_NOTHING: break;
	case LIFE_START: start(k); break;
	case LIFE_STOP:
		output_note(&k->output, "stopping");
		end_program(k, false);
		break;
	case LIFE_KILL:
		keeper_tell(k, "It was not healthy for too long and is being ended.");
		end_program(k, true);
		break;
	}
}

/* Do what is due, write it down, tell it, and wake when more is due. */
static void settle(struct keeper *k)
{
	struct error err;
	act(k);
	if (keeper_write_record(k, &err) < 0)
		keeper_say(k,
			   err.text); /* tried again at the next event; nothing hangs on it now */
	keeper_announce(k);
	if (k->life.phase == LIFE_OVER)
		linger(k);
	uint64_t at = life_wake_ms(&k->life, &k->spec);
	uint64_t now = clock_now_ms();
	if (at != UINT64_MAX)
		keeper_timer(k, &k->wake, at > now ? at - now : 0);
}

static void on_wake(void *context)
{
	settle(context);
}

static void on_leave(void *context)
{
	struct keeper *k = context;
	loop_stop(k->loop);
}

static void on_tally(void *context)
{
	struct keeper *k = context;
	k->tallying = false;
	keeper_announce(k);
}

static void on_log_errors(void *context)
{
	struct keeper *k = context;
	if (!k->tallying)
		keeper_timer(k, &k->tally, TALLY_MS);
	k->tallying = true;
}

static void on_probe_timer(void *context)
{
	struct keeper *k = context;
	struct error err;
	if (k->life.phase != LIFE_RUNNING)
		return;
	if (k->spec.health.kind != INSTANCE_HEALTH_COMMAND) {
		probe_start_port(&k->probe, k->port);
		return;
	}
	struct words words;
	struct process_spec spec;
	if (k->spec.user && !k->program.user) {
		keeper_say(k, "The health command's user is not there any more.");
		return;
	}
	if (words_expand(&words, k->spec.health.command, k->spec.expand, &k->program.variables,
			 &err) < 0) {
		keeper_tell(k, err.text);
		return;
	}
	program_beside(&k->program, (const char *const *)words.list, &spec);
	probe_start_command(&k->probe, &spec);
	program_beside_done(&spec);
	words_done(&words);
}

static void on_probed(void *context, bool passed, const char *sentence)
{
	struct keeper *k = context;
	bool before = k->life.healthy;
	life_probed(&k->life, &k->spec, passed, clock_now_ms());
	keeper_say(k, sentence);
	if (before != k->life.healthy)
		output_note(&k->output, "%s: %s", k->life.healthy ? "healthy" : "unhealthy",
			    sentence);
	uint64_t interval = k->spec.health.interval_ms;
	bool eager = !k->life.healthy && !k->life.was_ready && interval > EAGER_PROBE_MS;
	keeper_probe_in(k, eager ? EAGER_PROBE_MS : interval);
	settle(k);
}

static void on_exited(void *context)
{
	struct keeper *k = context;
	char text[INSTANCE_SENTENCE_SIZE];
	stop_probing(k);
	output_drain(&k->output);
	k->exit_known = k->program.ours;
	if (!k->program.ours) {
		snprintf(text, sizeof text, "It ended; its exit status went to another process.");
	} else if (k->program.end.signal) {
		snprintf(text, sizeof text, "It was ended by signal %d%s.", k->program.end.signal,
			 k->program.out_of_memory ? ", for it used more memory than its limit"
						  : "");
		k->exit = k->program.end;
	} else {
		snprintf(text, sizeof text, "It exited with %d.", k->program.end.code);
		k->exit = k->program.end;
	}
	keeper_tell(k, text);
	life_ending(&k->life);
	settle(k);
}

static void on_gone(void *context)
{
	struct keeper *k = context;
	if (k->refused)
		life_refused(&k->life, &k->spec, clock_now_ms());
	else
		life_ended(&k->life, &k->spec, clock_now_ms());
	if (k->life.failed && k->life.restarts > 0) {
		char text[INSTANCE_SENTENCE_SIZE + 80];
		snprintf(text, sizeof text, "Given up after %u restarts: %s", k->life.restarts,
			 k->sentence);
		keeper_tell(k, text);
	}
	settle(k);
}

static void refuse(struct peer *peer, const struct keeper *k, struct instance_version version,
		   const struct error *err)
{
	struct keeper_message message = {
		.kind = KEEPER_REFUSED,
		.refused = {.version = version, .applied = k->life.applied, .code = err->code}};
	text_copy(message.refused.sentence, sizeof message.refused.sentence, err->text);
	peers_answer(peer, &message);
}

static void on_want(struct keeper *k, struct peer *peer, const struct keeper_want *want)
{
	struct life before = k->life;
	struct error err;
	int code = life_want(&k->life, &k->spec, want, &err);
	if (code == 0 && keeper_write_record(k, &err) < 0) {
		k->life = before; /* a wish that would be forgotten is not taken */
		code = err.code;
	}
	if (code < 0) {
		refuse(peer, k, want->version, &err);
		return;
	}
	settle(k);
	struct keeper_message answer = {.kind = KEEPER_STATUS, .status = k->status};
	peers_answer(peer, &answer);
}

static void on_message(void *context, struct peer *peer, const struct keeper_message *message)
{
	struct keeper *k = context;
	switch (message->kind) {
	case KEEPER_WATCH: peers_watch(peer); break;
	case KEEPER_WANT: on_want(k, peer, &message->want); break;
	case KEEPER_FORGET:
		if (k->life.phase == LIFE_OVER)
			loop_stop(k->loop);
		break;
	case KEEPER_STATUS:
	case KEEPER_REFUSED: break; /* what we say, not what we hear */
	}
}

static void on_child(void *context, int number)
{
	struct keeper *k = context;
	pid_t but[2] = {k->program.process.pid, k->probe.process.pid};
	(void)number;
	process_reap_others(but, 2);
}

static int read_spec(struct keeper *k, struct instance_version *ret_version, struct error *err)
{
	struct buf text;
	buf_init(&text, INSTANCE_SPEC_MAX_BYTES);
	int code = file_read(k->dir_fd, "spec.json", &text, err);
	if (code == 0)
		code = instance_spec_read(buf_text(&text), text.size, &k->spec, ret_version, err);
	buf_done(&text);
	return code;
}

static int open_parts(struct keeper *k, struct error *err)
{
	k->wake = (struct env_timer){.fire = on_wake, .context = k};
	k->probe_timer = (struct env_timer){.fire = on_probe_timer, .context = k};
	k->leave = (struct env_timer){.fire = on_leave, .context = k};
	k->tally = (struct env_timer){.fire = on_tally, .context = k};
	k->output.erred = on_log_errors;
	k->output.context = k;
	k->peers.loop = k->program.loop = k->probe.loop = k->loop;
	k->peers.arrived = on_message;
	k->peers.status = keeper_status;
	k->program.spec = &k->spec;
	k->program.dir_fd = k->dir_fd;
	k->program.output = &k->output;
	k->program.exited = on_exited;
	k->program.gone = on_gone;
	k->probe.health = &k->spec.health;
	k->probe.done = on_probed;
	k->peers.context = k->program.context = k->probe.context = k;
	program_init(&k->program);
	probe_init(&k->probe);
	int code = loop_signal_start(k->loop, SIGCHLD, on_child, k, &k->children, err);
	if (code == 0)
		code = peers_open(&k->peers, k->dir_fd, err);
	return code;
}

static void close_parts(struct keeper *k)
{
	struct env *env = loop_env(k->loop);
	env->ops->timer_stop(env, &k->wake);
	env->ops->timer_stop(env, &k->probe_timer);
	env->ops->timer_stop(env, &k->leave);
	env->ops->timer_stop(env, &k->tally);
	peers_end(&k->peers, k->dir_fd);
	output_close(&k->output);
	variables_done(&k->program.variables);
	loop_signal_stop(k->children);
	if (k->life.phase == LIFE_OVER) {
		struct error ignored; /* what is left of it goes when the instance is forgotten */
		int code = file_remove_tree(k->dir_fd, "release", &ignored);
		(void)code;
	}
}

static int run(struct keeper *k, struct error *err)
{
	struct instance_version version;
	int code = read_spec(k, &version, err);
	if (code < 0)
		return code;
	FAILPOINT("keeper.after-spec");
	code = loop_new(&k->loop, err);
	if (code == 0)
		code = output_open(&k->output, k->loop, k->dir_fd, err);
	if (code == 0)
		code = open_parts(k, err);
	if (code < 0)
		return code;
	keeper_begin(k, version);
	settle(k);
	loop_run(k->loop);
	close_parts(k);
	loop_free(k->loop);
	instance_spec_done(&k->spec);
	return 0;
}

int keeper_main(const char *directory)
{
	static struct keeper keeper; /* one per process; large for a stack */
	struct error err;
	pid_t holder;
	signal(SIGPIPE, SIG_IGN);
	umask(022); /* what is the instance's must be within its user's reach */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	int code = file_open_directory(AT_FDCWD, directory, &keeper.dir_fd, &err);
	if (code == 0)
		code = lock_take(keeper.dir_fd, "lock", &keeper.lock_fd, &holder, &err);
	if (code == ERR_CONFLICT)
		return 0; /* there is a keeper already */
	if (code == 0)
		code = run(&keeper, &err);
	if (code < 0)
		log_event(LOG_ERROR, "keeper.failed", "error=\"%s\"", err.text);
	return code < 0 ? 1 : 0;
}
