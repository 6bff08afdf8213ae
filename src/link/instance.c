/* SPDX-License-Identifier: Apache-2.0
 * instance - see instance.h for the contract. */
#include "link/instance.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

const char *instance_state_name(enum instance_state state)
{
	static const char *const names[] = {
#define X(name, text) text,
		INSTANCE_STATES(X)
#undef X
	};
	return state < INSTANCE_STATE_COUNT ? names[state] : "unknown";
}

bool instance_state_over(enum instance_state state)
{
	return state == INSTANCE_EXITED || state == INSTANCE_FAILED;
}

bool instance_id_valid(const char *id)
{
	size_t size = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return id[0] && id[0] != '-' && !id[size] && size < INSTANCE_ID_SIZE;
}

/* A relative path that stays where it is: no empty, "." or ".." part. */
static bool path_stays(const char *path)
{
	while (*path) {
		size_t size = strcspn(path, "/");
		if (size == 0 || (size == 1 && path[0] == '.') ||
		    (size == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += size;
		if (*path == '/')
			path++;
	}
	return true;
}

static int invalid(struct error *err, const char *field)
{
	return error_set(err, ERR_INVALID, "The instance's \"%s\" is missing or out of bounds.",
			 field);
}

static bool digest_valid(const char *text)
{
	return text && strspn(text, "0123456789abcdef") == 64 && !text[64];
}

#define VARIABLE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

static bool variable_valid(const char *variable)
{
	size_t name = strspn(variable, VARIABLE_CHARACTERS);
	return name > 0 && variable[name] == '=' && (variable[0] < '0' || variable[0] > '9');
}

/* A name is a file's as well. */
static bool secrets_valid(const struct instance_spec *spec)
{
	for (size_t i = 0; i < spec->secret_count; i++) {
		const char *name = spec->secrets[i].name;
		size_t size = strspn(name, VARIABLE_CHARACTERS);
		if (size == 0 || name[size] || !spec->secrets[i].from[0])
			return false;
	}
	return spec->secret_count <= INSTANCE_SECRETS_MAX;
}

static int check_health(const struct instance_health *health, bool traffic, struct error *err)
{
	if (health->kind >= INSTANCE_HEALTH_COUNT)
		return invalid(err, "health");
	if ((health->kind == INSTANCE_HEALTH_HTTP || health->kind == INSTANCE_HEALTH_HTTP2) &&
	    (!health->path || health->path[0] != '/' || strpbrk(health->path, " \r\n")))
		return invalid(err, "health.path");
	if (health->kind == INSTANCE_HEALTH_COMMAND && !health->command[0])
		return invalid(err, "health.command");
	if (health->kind != INSTANCE_HEALTH_NONE && health->kind != INSTANCE_HEALTH_COMMAND &&
	    !traffic)
		return error_set(err, ERR_INVALID,
				 "An instance without traffic has no port: its health can only be "
				 "a command.");
	if (health->kind != INSTANCE_HEALTH_NONE &&
	    (health->interval_ms == 0 || health->timeout_ms == 0 || health->passes == 0 ||
	     health->fails == 0 || health->deadline_ms == 0))
		return invalid(err, "health");
	return 0;
}

int instance_spec_check(const struct instance_spec *spec, struct error *err)
{
	if (!spec->id || !instance_id_valid(spec->id))
		return invalid(err, "id");
	if (!spec->app || !text_is_name(spec->app))
		return invalid(err, "app");
	if (!spec->environment || !text_is_name(spec->environment))
		return invalid(err, "environment");
	if (!spec->process || !text_is_name(spec->process))
		return invalid(err, "process");
	if (!digest_valid(spec->release))
		return invalid(err, "release");
	if (!digest_valid(spec->artifact))
		return invalid(err, "artifact");
	if (!spec->tag || strlen(spec->tag) >= INSTANCE_TAG_SIZE)
		return invalid(err, "tag");
	if (spec->slot == 0 || spec->slot > INSTANCE_SLOT_MAX)
		return invalid(err, "slot");
	if (!spec->script == !spec->argv[0])
		return error_set(err, ERR_INVALID, "An instance runs either words or a script.");
	for (size_t i = 0; spec->persist[i]; i++)
		if (!spec->persist[i][0] || !path_stays(spec->persist[i]))
			return invalid(err, "persist");
	for (size_t i = 0; spec->variables[i]; i++)
		if (!variable_valid(spec->variables[i]))
			return invalid(err, "variables");
	if (!secrets_valid(spec))
		return invalid(err, "secrets");
	if (spec->user && !spec->user[0])
		return invalid(err, "user");
	if (spec->stop_signal <= 0 || spec->stop_signal >= SIGRTMIN)
		return invalid(err, "stop_signal");
	if (spec->restart.limit > INSTANCE_RESTARTS_MAX)
		return invalid(err, "restart.limit");
	if (spec->restart.limit > 0 &&
	    (spec->restart.window_ms == 0 || spec->restart.first_ms == 0 ||
	     spec->restart.most_ms < spec->restart.first_ms))
		return invalid(err, "restart");
	return check_health(&spec->health, spec->traffic, err);
}

/* Writes fields of one object; `ok` falls when a text is not UTF-8. */
struct writer {
	json_t *object;
	bool ok;
};

static void set(struct writer *w, const char *name, json_t *value)
{
	if (json_object_set_new(w->object, name, value) < 0)
		w->ok = false;
}

static void set_text(struct writer *w, const char *name, const char *text)
{
	set(w, name, json_string(text ? text : ""));
}

static void set_number(struct writer *w, const char *name, uint64_t value)
{
	set(w, name, json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

static void set_words(struct writer *w, const char *name, const char *const *list)
{
	json_t *array = json_array();
	for (size_t i = 0; list[i]; i++)
		if (json_array_append_new(array, json_string(list[i])) < 0)
			w->ok = false;
	set(w, name, array);
}

static json_t *health_to_json(const struct instance_health *health, bool *ok)
{
	struct writer w = {.object = json_object(), .ok = *ok};
	set_number(&w, "kind", health->kind);
	set_text(&w, "path", health->path);
	set_words(&w, "command", health->command);
	set_number(&w, "interval_ms", health->interval_ms);
	set_number(&w, "timeout_ms", health->timeout_ms);
	set_number(&w, "passes", health->passes);
	set_number(&w, "fails", health->fails);
	set_number(&w, "min_healthy_ms", health->min_healthy_ms);
	set_number(&w, "deadline_ms", health->deadline_ms);
	*ok = w.ok;
	return w.object;
}

static json_t *secrets_to_json(const struct instance_spec *spec, bool *ok)
{
	json_t *array = json_array();
	for (size_t i = 0; i < spec->secret_count; i++) {
		struct writer w = {.object = json_object(), .ok = *ok};
		set_text(&w, "name", spec->secrets[i].name);
		set_text(&w, "from", spec->secrets[i].from);
		set(&w, "file", json_boolean(spec->secrets[i].file));
		set(&w, "pinned", json_boolean(spec->secrets[i].pinned));
		json_array_append_new(array, w.object);
		*ok = w.ok;
	}
	return array;
}

/* NULL when a text is not UTF-8. */
static json_t *spec_to_json(const struct instance_spec *spec, struct instance_version version)
{
	struct writer w = {.object = json_object(), .ok = true};
	set_number(&w, "epoch", version.epoch);
	set_number(&w, "n", version.n);
	set_text(&w, "id", spec->id);
	set_text(&w, "app", spec->app);
	set_text(&w, "environment", spec->environment);
	set_text(&w, "release", spec->release);
	set_text(&w, "tag", spec->tag);
	set_text(&w, "process", spec->process);
	set_number(&w, "slot", spec->slot);
	set(&w, "traffic", json_boolean(spec->traffic));
	set_text(&w, "artifact", spec->artifact);
	set_words(&w, "persist", spec->persist);
	set_text(&w, "script", spec->script);
	set_words(&w, "argv", spec->argv);
	set(&w, "expand", json_boolean(spec->expand));
	set_words(&w, "variables", spec->variables);
	if (spec->secret_count > 0)
		set(&w, "secrets", secrets_to_json(spec, &w.ok));
	set_text(&w, "user", spec->user);
	set_number(&w, "memory_bytes", spec->memory_bytes);
	set_number(&w, "cpu_milli", spec->cpu_milli);
	set_number(&w, "files", spec->files);
	set(&w, "health", health_to_json(&spec->health, &w.ok));
	set_number(&w, "stop_signal", (uint64_t)spec->stop_signal);
	set_number(&w, "stop_timeout_ms", spec->stop_timeout_ms);
	set_number(&w, "restart_first_ms", spec->restart.first_ms);
	set_number(&w, "restart_most_ms", spec->restart.most_ms);
	set_number(&w, "restart_limit", spec->restart.limit);
	set_number(&w, "restart_window_ms", spec->restart.window_ms);
	if (w.ok)
		return w.object;
	json_decref(w.object);
	return NULL;
}

int instance_spec_write(const struct instance_spec *spec, struct instance_version version,
			struct buf *to, struct error *err)
{
	int code = instance_spec_check(spec, err);
	if (code < 0)
		return code;
	json_t *json = spec_to_json(spec, version);
	if (!json)
		return error_set(err, ERR_INVALID, "The instance's spec is not UTF-8.");
	char *text = json_dumps(json, JSON_INDENT(2));
	json_decref(json);
	buf_puts(to, text);
	buf_puts(to, "\n");
	free(text);
	if (to->overflowed || to->size > INSTANCE_SPEC_MAX_BYTES)
		return error_set(err, ERR_LIMIT, "The instance's spec is larger than %d bytes.",
				 INSTANCE_SPEC_MAX_BYTES);
	return 0;
}

/* Reads fields of one object; the first that is missing or of another form stays in `bad`. */
struct reader {
	const json_t *object;
	const char *bad;
};

static const char *get_text(struct reader *r, const char *name)
{
	const char *text = json_string_value(json_object_get(r->object, name));
	if (!text)
		r->bad = name;
	return text ? text : "";
}

static uint64_t get_number(struct reader *r, const char *name, uint64_t most)
{
	const json_t *value = json_object_get(r->object, name);
	json_int_t n = json_integer_value(value);
	if (!json_is_integer(value) || n < 0 || (uint64_t)n > most) {
		r->bad = name;
		return 0;
	}
	return (uint64_t)n;
}

static bool get_bool(struct reader *r, const char *name)
{
	const json_t *value = json_object_get(r->object, name);
	if (!json_is_boolean(value))
		r->bad = name;
	return json_is_true(value);
}

static void get_words(struct reader *r, const char *name, const char **to, size_t most)
{
	const json_t *array = json_object_get(r->object, name);
	size_t count = json_array_size(array);
	if (!json_is_array(array) || count > most) {
		r->bad = name;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		to[i] = json_string_value(json_array_get(array, i));
		if (!to[i]) {
			r->bad = name;
			return;
		}
	}
	to[count] = NULL;
}

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

static void read_health(struct reader *parent, struct instance_health *health)
{
	struct reader r = {.object = json_object_get(parent->object, "health")};
	health->kind = (enum instance_health_kind)get_number(&r, "kind", INSTANCE_HEALTH_COUNT - 1);
	health->path = or_null(get_text(&r, "path"));
	get_words(&r, "command", health->command, INSTANCE_WORDS_MAX);
	health->interval_ms = get_number(&r, "interval_ms", INT64_MAX);
	health->timeout_ms = get_number(&r, "timeout_ms", INT64_MAX);
	health->passes = (uint32_t)get_number(&r, "passes", UINT32_MAX);
	health->fails = (uint32_t)get_number(&r, "fails", UINT32_MAX);
	health->min_healthy_ms = get_number(&r, "min_healthy_ms", INT64_MAX);
	health->deadline_ms = get_number(&r, "deadline_ms", INT64_MAX);
	if (r.bad)
		parent->bad = r.bad;
}

/* A spec without secrets does not have the field. */
static void read_secrets(struct reader *parent, struct instance_spec *spec)
{
	const json_t *array = json_object_get(parent->object, "secrets");
	if (json_array_size(array) > INSTANCE_SECRETS_MAX) {
		parent->bad = "secrets";
		return;
	}
	for (size_t i = 0; i < json_array_size(array); i++) {
		struct reader r = {.object = json_array_get(array, i)};
		spec->secrets[i] = (struct instance_secret){.name = get_text(&r, "name"),
							    .from = get_text(&r, "from"),
							    .file = get_bool(&r, "file"),
							    .pinned = get_bool(&r, "pinned")};
		if (r.bad)
			parent->bad = r.bad;
	}
	spec->secret_count = json_array_size(array);
}

static void read_spec(struct reader *r, struct instance_spec *spec)
{
	spec->id = get_text(r, "id");
	spec->app = get_text(r, "app");
	spec->environment = get_text(r, "environment");
	spec->release = get_text(r, "release");
	spec->tag = get_text(r, "tag");
	spec->process = get_text(r, "process");
	spec->slot = (uint32_t)get_number(r, "slot", INSTANCE_SLOT_MAX);
	spec->traffic = get_bool(r, "traffic");
	spec->artifact = get_text(r, "artifact");
	get_words(r, "persist", spec->persist, INSTANCE_PERSIST_MAX);
	spec->script = or_null(get_text(r, "script"));
	get_words(r, "argv", spec->argv, INSTANCE_WORDS_MAX);
	spec->expand = get_bool(r, "expand");
	get_words(r, "variables", spec->variables, INSTANCE_ENV_MAX);
	read_secrets(r, spec);
	spec->user = or_null(get_text(r, "user"));
	spec->memory_bytes = get_number(r, "memory_bytes", INT64_MAX);
	spec->cpu_milli = (uint32_t)get_number(r, "cpu_milli", UINT32_MAX);
	spec->files = (uint32_t)get_number(r, "files", UINT32_MAX);
	read_health(r, &spec->health);
	spec->stop_signal = (int)get_number(r, "stop_signal", 64);
	spec->stop_timeout_ms = get_number(r, "stop_timeout_ms", INT64_MAX);
	spec->restart.first_ms = get_number(r, "restart_first_ms", INT64_MAX);
	spec->restart.most_ms = get_number(r, "restart_most_ms", INT64_MAX);
	spec->restart.limit = (uint32_t)get_number(r, "restart_limit", UINT32_MAX);
	spec->restart.window_ms = get_number(r, "restart_window_ms", INT64_MAX);
}

int instance_spec_read(const char *json, size_t size, struct instance_spec *ret_spec,
		       struct instance_version *ret_version, struct error *err)
{
	json_error_t why;
	json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return error_set(err, ERR_CORRUPT,
				 "The instance's spec is not JSON: %s in line %d.", why.text,
				 why.line);
	struct reader r = {.object = root};
	struct instance_version version = {.epoch = get_number(&r, "epoch", INT64_MAX),
					   .n = get_number(&r, "n", INT64_MAX)};
	struct instance_spec spec = {.texts = root};
	read_spec(&r, &spec);
	struct error why_bad;
	if (r.bad || instance_spec_check(&spec, &why_bad) < 0) {
		int code = error_set(err, ERR_CORRUPT, "The instance's spec has no usable \"%s\".",
				     r.bad ? r.bad : why_bad.text);
		json_decref(root);
		return code;
	}
	*ret_spec = spec;
	*ret_version = version;
	return 0;
}

void instance_spec_done(struct instance_spec *spec)
{
	json_decref(spec->texts);
	*spec = (struct instance_spec){0};
}

void instance_status_init(struct instance_status *status, const struct instance_spec *spec,
			  struct instance_version version)
{
	*status = (struct instance_status){
		.slot = spec->slot, .traffic = spec->traffic, .applied = version};
	text_copy(status->id, sizeof status->id, spec->id);
	text_copy(status->app, sizeof status->app, spec->app);
	text_copy(status->environment, sizeof status->environment, spec->environment);
	text_copy(status->release, sizeof status->release, spec->release);
	text_copy(status->tag, sizeof status->tag, spec->tag);
	text_copy(status->process, sizeof status->process, spec->process);
	text_copy(status->artifact, sizeof status->artifact, spec->artifact);
}

uint32_t instance_crashes(const struct instance_status *status)
{
	return status->restarts + (status->state == INSTANCE_FAILED);
}

static int refuse(struct error *err, const char *why)
{
	return error_set(err, ERR_CONFLICT, "%s", why);
}

int instance_want_check(const struct instance_status *status, struct instance_version version,
			enum instance_want want, bool undrained, struct error *err)
{
	int order = instance_version_compare(version, status->applied);
	if (order < 0)
		return refuse(err, "A newer document has been applied already.");
	if (order == 0 && want == status->want)
		return 0;
	if (order == 0 && want < status->want)
		return refuse(err, "The same document has asked for the contrary.");
	if (want != INSTANCE_STOP && status->want == INSTANCE_STOP)
		return refuse(err, "It is stopping; start it again when it is over.");
	if (want == INSTANCE_KEEP && instance_state_over(status->state))
		return refuse(err, "It is over, and its keeper about to leave.");
	bool serving =
		status->traffic && status->want == INSTANCE_KEEP && status->state == INSTANCE_READY;
	if (want == INSTANCE_STOP && serving && !undrained)
		return refuse(err, "It is ready and has not been told to drain.");
	return 0;
}
