/* SPDX-License-Identifier: Apache-2.0
 * instance_record - see instance_record.h for the contract. */
#include "link/instance_record.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* A sentence may quote what a program said: bytes that are not UTF-8 do not keep it from being written. */
static json_t *any_text(const char *text)
{
	char escaped[4 * RECORD_CGROUP_SIZE];
	json_t *json = json_string(text);
	return json ? json : json_string(text_escape(text, strlen(text), escaped, sizeof escaped));
}

static void set_number(json_t *o, const char *name, uint64_t value)
{
	json_object_set_new(o, name, json_integer((json_int_t)value));
}

void instance_record_place(const char *id, uint64_t device, uint64_t inode,
			   char to[RECORD_PLACE_SIZE])
{
	snprintf(to, RECORD_PLACE_SIZE, "davit-%s-%llx-%llx", id, (unsigned long long)device,
		 (unsigned long long)inode);
}

void instance_record_mark(const char place[RECORD_PLACE_SIZE], char to[RECORD_MARK_SIZE])
{
	snprintf(to, RECORD_MARK_SIZE, "DAVIT_MARK=%s", place);
}

void instance_record_write(const struct instance_record *record, struct buf *to)
{
	json_t *o = json_object();
	set_number(o, "epoch", record->applied.epoch);
	set_number(o, "n", record->applied.n);
	set_number(o, "want", record->want);
	json_object_set_new(o, "state", json_string(instance_state_name(record->state)));
	json_object_set_new(o, "boot", json_string(record->boot));
	json_object_set_new(o, "pid", json_integer(record->pid));
	set_number(o, "start", record->start);
	set_number(o, "port", record->port);
	json_object_set_new(o, "mark", json_string(record->mark));
	json_object_set_new(o, "cgroup", any_text(record->cgroup));
	set_number(o, "state_since_ms", record->state_since_ms);
	set_number(o, "ready_since_ms", record->ready_since_ms);
	set_number(o, "changed_ms", record->changed_ms);
	json_object_set_new(o, "healthy", json_boolean(record->healthy));
	json_object_set_new(o, "was_ready", json_boolean(record->was_ready));
	set_number(o, "restarts", record->restarts);
	json_t *crashes = json_array();
	for (uint32_t i = 0; i < record->crash_count; i++)
		json_array_append_new(crashes, json_integer((json_int_t)record->crashes_ms[i]));
	json_object_set_new(o, "crashes_ms", crashes);
	json_object_set_new(o, "exit_known", json_boolean(record->exit_known));
	json_object_set_new(o, "exit_code", json_integer(record->exit_code));
	json_object_set_new(o, "exit_signal", json_integer(record->exit_signal));
	json_object_set_new(o, "sentence", any_text(record->sentence));
	char *text = json_dumps(o, JSON_INDENT(2));
	ASSERT(text);
	buf_puts(to, text);
	buf_puts(to, "\n");
	free(text);
	json_decref(o);
}

struct reader {
	const json_t *object;
	bool ok;
};

static int64_t get_integer(struct reader *r, const char *name, int64_t least, int64_t most)
{
	const json_t *value = json_object_get(r->object, name);
	json_int_t n = json_integer_value(value);
	if (!json_is_integer(value) || n < least || n > most)
		r->ok = false;
	return r->ok ? n : 0;
}

static uint64_t get_number(struct reader *r, const char *name)
{
	return (uint64_t)get_integer(r, name, 0, INT64_MAX);
}

static bool get_bool(struct reader *r, const char *name)
{
	const json_t *value = json_object_get(r->object, name);
	if (!json_is_boolean(value))
		r->ok = false;
	return json_is_true(value);
}

static void get_text(struct reader *r, const char *name, char *to, size_t size)
{
	const char *text = json_string_value(json_object_get(r->object, name));
	if (!text || !text_copy(to, size, text))
		r->ok = false;
}

static enum instance_state get_state(struct reader *r)
{
	char name[32] = "";
	get_text(r, "state", name, sizeof name);
	for (int i = 0; i < INSTANCE_STATE_COUNT; i++)
		if (strcmp(name, instance_state_name((enum instance_state)i)) == 0)
			return (enum instance_state)i;
	r->ok = false;
	return INSTANCE_STARTING;
}

static void get_crashes(struct reader *r, struct instance_record *record)
{
	const json_t *array = json_object_get(r->object, "crashes_ms");
	size_t count = json_array_size(array);
	if (!json_is_array(array) || count > INSTANCE_RESTARTS_MAX + 1) {
		r->ok = false;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_array_get(array, i);
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			r->ok = false;
		record->crashes_ms[i] = (uint64_t)json_integer_value(value);
	}
	record->crash_count = (uint32_t)count;
}

int instance_record_read(const char *json, size_t size, struct instance_record *ret_record,
			 struct error *err)
{
	json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, NULL);
	struct reader r = {.object = root, .ok = json_is_object(root)};
	struct instance_record record = {0};
	record.applied.epoch = get_number(&r, "epoch");
	record.applied.n = get_number(&r, "n");
	record.want = (enum instance_want)get_integer(&r, "want", 0, INSTANCE_WANT_COUNT - 1);
	record.state = get_state(&r);
	get_text(&r, "boot", record.boot, sizeof record.boot);
	record.pid = (int32_t)get_integer(&r, "pid", 0, INT32_MAX);
	record.start = get_number(&r, "start");
	record.port = (uint16_t)get_integer(&r, "port", 0, UINT16_MAX);
	get_text(&r, "mark", record.mark, sizeof record.mark);
	get_text(&r, "cgroup", record.cgroup, sizeof record.cgroup);
	record.state_since_ms = get_number(&r, "state_since_ms");
	record.ready_since_ms = get_number(&r, "ready_since_ms");
	record.changed_ms = get_number(&r, "changed_ms");
	record.healthy = get_bool(&r, "healthy");
	record.was_ready = get_bool(&r, "was_ready");
	record.restarts = (uint32_t)get_integer(&r, "restarts", 0, UINT32_MAX);
	get_crashes(&r, &record);
	record.exit_known = get_bool(&r, "exit_known");
	record.exit_code = (int32_t)get_integer(&r, "exit_code", -1, INT32_MAX);
	record.exit_signal = (int32_t)get_integer(&r, "exit_signal", 0, INT32_MAX);
	get_text(&r, "sentence", record.sentence, sizeof record.sentence);
	json_decref(root);
	if (!r.ok)
		return error_set(err, ERR_CORRUPT, "An instance's state file cannot be read.");
	*ret_record = record;
	return 0;
}

void instance_record_tell(const struct instance_record *record, struct instance_status *status)
{
	status->applied = record->applied;
	status->want = record->want;
	status->state = record->state;
	status->state_since_ms = record->state_since_ms;
	status->restarts = record->restarts;
	status->exit_known = record->exit_known;
	status->exit_code = record->exit_code;
	status->exit_signal = record->exit_signal;
	text_copy(status->sentence, sizeof status->sentence, record->sentence);
}
