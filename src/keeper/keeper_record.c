/* SPDX-License-Identifier: Apache-2.0
 * keeper_record - see keeper_state.h for the contract. Here: what an instance is, as it is written down for the
 * next keeper, told to those who watch, and taken up again. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "keeper/keeper_state.h"
#include "os/clock.h"
#include "os/file.h"

static void fill_record(const struct keeper *k, struct instance_record *r)
{
	memset(r, 0, sizeof *r);
	r->applied = k->life.applied;
	r->want = k->life.want;
	r->state = life_state(&k->life);
	text_copy(r->boot, sizeof r->boot, clock_boot_id());
	r->pid = k->program.process.pid;
	r->start = k->program.process.start;
	r->port = k->port;
	text_copy(r->mark, sizeof r->mark, k->program.mark);
	cgroup_text(&k->program.cgroup, r->cgroup);
	r->state_since_ms = k->state_since_ms;
	r->ready_since_ms = k->life.ready_since_ms;
	r->changed_ms = k->life.changed_ms;
	r->healthy = k->life.healthy;
	r->was_ready = k->life.was_ready;
	r->restarts = k->life.restarts;
	r->crash_count = k->life.crash_count;
	memcpy(r->crashes_ms, k->life.crashes_ms, sizeof r->crashes_ms);
	r->exit_known = k->exit_known;
	r->exit_code = k->exit.code;
	r->exit_signal = k->exit.signal;
	text_copy(r->sentence, sizeof r->sentence, k->sentence);
}

static void notice_state(struct keeper *k)
{
	enum instance_state state = life_state(&k->life);
	if (state == k->last_state && k->state_since_ms != 0)
		return;
	k->last_state = state;
	k->state_since_ms = clock_now_ms();
}

int keeper_write_record(struct keeper *k, struct error *err)
{
	struct instance_record now, before = k->record;
	struct buf text;
	notice_state(k);
	fill_record(k, &now);
	if (!instance_state_over(now.state))
		memcpy(before.sentence, now.sentence, sizeof before.sentence);
	if (memcmp(&now, &before, sizeof now) == 0)
		return 0;
	buf_init(&text, RECORD_MAX_BYTES);
	instance_record_write(&now, &text);
	int code = file_write(k->dir_fd, "state", buf_text(&text), text.size, 0600, err);
	buf_done(&text);
	if (code == 0)
		k->record = now;
	return code;
}

static void fill_status(const struct keeper *k, struct instance_status *s)
{
	instance_status_init(s, &k->spec, k->life.applied);
	s->state = life_state(&k->life);
	s->want = k->life.want;
	s->healthy = k->life.healthy;
	s->ready_since_ms = k->life.ready_since_ms;
	s->state_since_ms = k->state_since_ms;
	s->restarts = k->life.restarts;
	s->log_errors = k->output.log_errors;
	s->pid = k->program.process.pid;
	if (k->port != 0)
		snprintf(s->address, sizeof s->address, "127.0.0.1:%u", k->port);
	s->exit_known = k->exit_known;
	s->exit_code = k->exit.code;
	s->exit_signal = k->exit.signal;
	text_copy(s->sentence, sizeof s->sentence, k->sentence);
}

const struct instance_status *keeper_status(void *context)
{
	struct keeper *k = context;
	return &k->status;
}

void keeper_announce(struct keeper *k)
{
	struct keeper_message message = {.kind = KEEPER_STATUS};
	char bytes[KEEPER_MESSAGE_MAX];
	notice_state(k);
	fill_status(k, &message.status);
	size_t size = keeper_message_write(&message, bytes);
	if (size == k->told_size && memcmp(bytes, k->told, size) == 0)
		return;
	memcpy(k->told, bytes, size);
	k->told_size = size;
	k->status = message.status;
	peers_tell(&k->peers);
}

/* Take up where the last keeper left off. */
static void resume(struct keeper *k, const struct instance_record *r,
		   struct instance_version version)
{
	struct error err;
	bool same_boot = strcmp(r->boot, clock_boot_id()) == 0;
	text_copy(k->program.mark, sizeof k->program.mark, r->mark);
	k->port = r->port;
	if (instance_state_over(r->state) && instance_version_compare(version, r->applied) > 0)
		return; /* begun anew by a newer document */
	k->life.applied = r->applied;
	k->life.want = r->want;
	k->life.restarts = r->restarts;
	k->life.was_ready = r->was_ready; /* it has run, though it may have been before a reboot */
	k->exit_known = r->exit_known;
	k->exit = (struct process_end){.code = r->exit_code, .signal = r->exit_signal};
	keeper_say(k, r->sentence);
	if (same_boot) {
		k->life.crash_count = r->crash_count;
		memcpy(k->life.crashes_ms, r->crashes_ms, sizeof k->life.crashes_ms);
		k->state_since_ms = r->state_since_ms;
		k->last_state = r->state;
	}
	if (instance_state_over(r->state) || (r->want != INSTANCE_KEEP && !same_boot)) {
		k->life.phase = LIFE_OVER;
		k->life.failed = r->state == INSTANCE_FAILED;
		return;
	}
	if (!same_boot || r->pid == 0) {
		if (r->want != INSTANCE_KEEP)
			k->life.phase = LIFE_OVER;
		return;
	}
	if (keeper_find_user(k, &err) < 0)
		keeper_tell(k, err.text); /* it runs, so it may go on */
	if (program_adopt(&k->program, r, &err) < 0) {
		keeper_tell(k, "It ended while nobody watched it.");
		life_ending(&k->life);
		return;
	}
	output_note(&k->output, "process %d goes on under a new keeper", (int)r->pid);
	life_started(&k->life, &k->spec, clock_now_ms());
	k->life.changed_ms = r->changed_ms;
	k->life.healthy = r->healthy;
	k->life.was_ready = r->was_ready;
	k->life.ready_since_ms = r->ready_since_ms;
	keeper_probe_in(k, r->healthy ? k->spec.health.interval_ms : 0);
}

void keeper_begin(struct keeper *k, struct instance_version version)
{
	struct buf text;
	struct error err;
	struct instance_record record;
	struct stat about = {0};
	life_init(&k->life, version, clock_now_ms());
	fstat(k->dir_fd, &about);
	instance_record_place(k->spec.id, about.st_dev, about.st_ino, k->program.place);
	instance_record_mark(k->program.place, k->program.mark);
	buf_init(&text, RECORD_MAX_BYTES);
	int code = file_read(k->dir_fd, "state", &text, &err);
	if (code == 0)
		code = instance_record_read(buf_text(&text), text.size, &record, &err);
	buf_done(&text);
	if (code == 0) {
		resume(k, &record, version);
	} else if (code != ERR_NOT_FOUND) {
		keeper_tell(k, err.text); /* we cannot know more than that */
		program_sweep(&k->program);
	}
	if (keeper_write_record(k, &err) < 0)
		keeper_say(k, err.text);
}
