/* SPDX-License-Identifier: Apache-2.0
 * secrets - see secrets.h for the contract. */
#include "control/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/seal.h"
#include "base/text.h"
#include "config/config.h"
#include "config/stages.h"
#include "config/value.h"
#include "control/commands.h"
#include "control/environment.h"
#include "provider/check.h"
#include "store/audit.h"
#include "store/secrets.h"

enum { SEALED_MAX = SECRETS_VALUE_MAX + SEAL_OVERHEAD, ABOUT_SIZE = 256 };

static const char SCHEME[] = "davit:";
static const char KEY_MARK[] = "the key of davit's secrets";

static const char *name_of(const char *from)
{
	return text_starts(from, SCHEME) ? from + strlen(SCHEME) : from;
}

static const char *about(const char *app, const char *name, uint32_t version, char to[ABOUT_SIZE])
{
	snprintf(to, ABOUT_SIZE, "davit secret %s %s %u", app, name, version);
	return to;
}

/* --- the key */

/* Whatever a commit reported: what the store says now decides whether a key is the one. */
static int check_key(struct control *c, const struct seal_key *key, bool *ret_first,
		     struct error *err)
{
	struct digest is = seal_mark(key, KEY_MARK, strlen(KEY_MARK)), wanted;
	int found = store_secret_key_mark(c->parts.store, &wanted, err);
	*ret_first = found == 0;
	if (found == 1 && !digest_equal(&is, &wanted))
		return error_set(
			err, ERR_DENIED,
			"The key of secrets is not the one that they were sealed with; put "
			"that one back in its place.");
	return found < 0 ? found : 0;
}

static int take_key(struct control *c, bool make, struct seal_key *ret_key, bool *ret_first,
		    struct error *err)
{
	if (!c->parts.secret_key)
		return error_set(err, ERR_UNSUPPORTED, "There is no store of secrets here.");
	struct digest ignored;
	int sealed = store_secret_key_mark(c->parts.store, &ignored, err);
	if (sealed < 0)
		return sealed;
	/* A new key would open nothing of what is there. */
	int result =
		c->parts.secret_key(c->parts.secret_key_context, make && sealed == 0, ret_key, err);
	if (result == 0)
		result = check_key(c, ret_key, ret_first, err);
	if (result < 0)
		seal_key_wipe(ret_key);
	return result;
}

/* --- what people do */

static int check_name(const char *app, const char *name, struct error *err)
{
	char from[SECRETS_NAME_SIZE + sizeof SCHEME];
	snprintf(from, sizeof from, "%s%s", SCHEME, name);
	if (!text_is_name(app))
		return error_set(err, ERR_INVALID, "\"%s\" is no application's name.", app);
	if (strlen(name) >= SECRETS_NAME_SIZE || !value_is_secret(from))
		return error_set(
			err, ERR_INVALID,
			"\"%s\" is no secret's name: it is lower-case letters, digits and "
			"\"-\", after an environment and \"/\" where it is one environment's; "
			"for example prod/db.",
			name);
	return 0;
}

/* It is a variable of a stage, whose log must not show it. */
static int check_of_stages(const struct secret_order *order, struct error *err)
{
	if (!text_starts(order->name, APP_STAGE_SECRETS) ||
	    (order->size >= SECRETS_STAGE_VALUE_MIN && order->size <= SECRETS_STAGE_VALUE_MAX &&
	     !memchr(order->value, '\0', order->size)))
		return 0;
	return error_set(err, ERR_INVALID,
			 "A secret of stages has %d to %d bytes, and none of them is 0: others "
			 "cannot be masked in the logs of stages.",
			 SECRETS_STAGE_VALUE_MIN, SECRETS_STAGE_VALUE_MAX);
}

static void audit(struct control *c, const struct control_caller *caller, const char *action,
		  const char *app, const char *name, uint32_t version)
{
	const char *slash = strchr(name, '/');
	struct store_audit_entry entry = {.at_unix_ms = env_wall_ms(c->parts.env)};
	text_copy(entry.who, sizeof entry.who, caller->who);
	text_copy(entry.action, sizeof entry.action, action);
	text_copy(entry.app, sizeof entry.app, app);
	if (slash)
		snprintf(entry.environment, sizeof entry.environment, "%.*s", (int)(slash - name),
			 name);
	if (version > 0)
		snprintf(entry.evidence, sizeof entry.evidence, "%s, version %u", name, version);
	else
		text_copy(entry.evidence, sizeof entry.evidence, name);
	store_add_audit(c->parts.store, &entry);
}

static int seal_version(struct control *c, const struct control_caller *caller,
			const struct secret_order *order, const struct seal_key *key, bool first,
			const struct digest *request, uint32_t *ret_version, struct error *err)
{
	struct store *store = c->parts.store;
	char counter[ABOUT_SIZE], what[ABOUT_SIZE];
	uint8_t nonce[SEAL_NONCE_SIZE];
	struct buf sealed;
	struct store_secret row = {.at_unix_ms = env_wall_ms(c->parts.env)};
	buf_init(&sealed, SEALED_MAX);
	snprintf(counter, sizeof counter, "secret %s %s", order->app, order->name);
	c->parts.env->ops->random(c->parts.env, nonce, sizeof nonce);
	control_begin(c, false);
	if (first) {
		struct digest mark = seal_mark(key, KEY_MARK, strlen(KEY_MARK));
		store_put_secret_key_mark(store, &mark);
	}
	row.version = (uint32_t)store_add_one(store, counter);
	text_copy(row.app, sizeof row.app, order->app);
	text_copy(row.name, sizeof row.name, order->name);
	text_copy(row.by, sizeof row.by, caller->who);
	seal_close(key, nonce, about(row.app, row.name, row.version, what), order->value,
		   order->size, &sealed);
	store_add_secret(store, &row, sealed.data, sealed.size);
	if (row.version > SECRETS_KEPT)
		store_remove_secrets(store, row.app, row.name, row.version - SECRETS_KEPT + 1,
				     false);
	audit(c, caller, "secret.set", row.app, row.name, row.version);
	command_answered(c, caller, request, row.version);
	buf_done(&sealed);
	*ret_version = row.version;
	return control_commit(c, err);
}

int control_set_secret(struct control *c, const struct control_caller *caller,
		       const struct secret_order *order, uint32_t *ret_version, struct error *err)
{
	struct seal_key key;
	struct digest request;
	char hex[DIGEST_HEX_SIZE];
	bool first;
	int result = check_name(order->app, order->name, err);
	if (result == 0)
		result = check_of_stages(order, err);
	if (result == 0 && (order->size == 0 || order->size > SECRETS_VALUE_MAX))
		result = error_set(err, ERR_INVALID, "A secret has 1 to %d bytes.",
				   SECRETS_VALUE_MAX);
	if (result == 0)
		result = take_key(c, true, &key, &first, err);
	if (result < 0)
		return result;
	/* The value goes into the request's digest under the key: nobody can try values against it. */
	struct digest value = seal_mark(&key, order->value, order->size);
	result = command_asked_before(c, caller, &request, ret_version, err, "secret %s %s %s",
				      order->app, order->name, digest_format(&value, hex));
	if (result == 0)
		result = seal_version(c, caller, order, &key, first, &request, ret_version, err);
	seal_key_wipe(&key);
	return result < 0 ? result : 0;
}

int control_remove_secret(struct control *c, const struct control_caller *caller, const char *app,
			  const char *name, struct error *err)
{
	struct store_secret row;
	struct buf sealed;
	struct digest request;
	uint32_t ignored;
	int result = command_asked_before(c, caller, &request, &ignored, err, "secret.remove %s %s",
					  app, name);
	if (result != 0)
		return result < 0 ? result : 0;
	buf_init(&sealed, SEALED_MAX);
	int found = store_secret_find(c->parts.store, app, name, 0, &row, &sealed, err);
	buf_done(&sealed);
	if (found == 0)
		return error_set(err, ERR_NOT_FOUND, "There is no secret \"%s\" of %s.", name, app);
	if (found < 0)
		return found;
	control_begin(c, false);
	store_remove_secrets(c->parts.store, app, name, row.version + 1, true);
	audit(c, caller, "secret.remove", app, name, 0);
	command_answered(c, caller, &request, 1);
	return control_commit(c, err);
}

/* --- what instances get */

/* "prod/db" is for prod alone, whatever an old configuration says. */
static int check_scope(const char *name, const char *environment, struct error *err)
{
	const char *slash = strchr(name, '/');
	size_t size = slash ? (size_t)(slash - name) : 0;
	if (!slash || (strlen(environment) == size && strncmp(name, environment, size) == 0))
		return 0;
	return error_set(err, ERR_DENIED, "The secret \"%s\" is not one of %s.", name, environment);
}

/* A release keeps the version that it had first. 0: none yet. */
static int find_pin(struct control *c, const char *app, const char *environment,
		    const char *release, const char *name, struct store_secret_pin *ret_pin,
		    struct error *err)
{
	*ret_pin = (struct store_secret_pin){.version = 0};
	text_copy(ret_pin->app, sizeof ret_pin->app, app);
	text_copy(ret_pin->environment, sizeof ret_pin->environment, environment);
	text_copy(ret_pin->name, sizeof ret_pin->name, name);
	int result = release_origin(c->parts.store, release, ret_pin->release, err);
	if (result == 0)
		result = store_secret_pin_find(c->parts.store, ret_pin, &ret_pin->version, err);
	return result < 0 ? result : 0;
}

static int find_version(struct control *c, const char *app, const char *name, uint32_t version,
			struct store_secret *ret_row, struct buf *ret_sealed, struct error *err)
{
	int found = store_secret_find(c->parts.store, app, name, version, ret_row, ret_sealed, err);
	if (found != 0)
		return found < 0 ? found : 0;
	if (version > 0)
		return error_set(
			err, ERR_NOT_FOUND,
			"Version %u of the secret \"%s\", which this release is pinned to, "
			"is gone; deploy a release anew.",
			version, name);
	return error_set(err, ERR_NOT_FOUND,
			 "There is no secret \"%s\" of %s; write it with: davit secrets set %s "
			 "--app %s",
			 name, app, name, app);
}

/* Who asks for what. */
struct want {
	const char *app, *environment, *release;
	const char *from;
	bool pinned;
};

static int give(struct control *c, const struct want *want, struct buf *ret_value,
		struct error *err)
{
	const char *name = name_of(want->from);
	struct store_secret_pin pin = {.version = 0};
	struct store_secret row;
	struct seal_key key;
	struct buf sealed;
	char what[ABOUT_SIZE];
	bool first;
	buf_init(&sealed, SEALED_MAX);
	int result = check_scope(name, want->environment, err);
	if (result == 0 && want->pinned)
		result = find_pin(c, want->app, want->environment, want->release, name, &pin, err);
	if (result == 0)
		result = find_version(c, want->app, name, pin.version, &row, &sealed, err);
	if (result == 0)
		result = take_key(c, false, &key, &first, err);
	if (result == 0) {
		result = seal_open(&key, about(want->app, name, row.version, what), sealed.data,
				   sealed.size, ret_value, err);
		seal_key_wipe(&key);
		if (result < 0)
			error_prefix(err, "The secret \"%s\" cannot be opened", name);
	}
	if (result == 0 && want->pinned && pin.version == 0) {
		pin.version = row.version;
		control_begin(c, false);
		store_put_secret_pin(c->parts.store, &pin);
		result = control_commit(c, err);
	}
	buf_done(&sealed);
	return result;
}

int secrets_give(void *context, const struct instance_spec *spec,
		 const struct instance_secret *secret, struct buf *ret_value, struct error *err)
{
	const struct want want = {.app = spec->app,
				  .environment = spec->environment,
				  .release = spec->release,
				  .from = secret->from,
				  .pinned = secret->pinned};
	return give(context, &want, ret_value, err);
}

int secrets_give_check(void *environment, const struct check_secret *secret, struct buf *ret_value,
		       struct error *err)
{
	struct environment *e = environment;
	if (!e->active)
		return error_set(err, ERR_RETRY, "Nothing rolls out in %s any more.", e->key);
	const struct want want = {.app = e->app,
				  .environment = e->name,
				  .release = e->active->candidate.hex,
				  .from = secret->from,
				  .pinned = secret->pinned};
	return give(e->control, &want, ret_value, err);
}

struct stage_names {
	const char *app;
	uint32_t count;
	bool more;
	char items[SECRETS_STAGES_MAX][SECRETS_NAME_SIZE];
};

static int add_name(void *context, const struct store_secret *secret)
{
	struct stage_names *names = context;
	if (strcmp(secret->app, names->app) != 0 || !text_starts(secret->name, APP_STAGE_SECRETS))
		return 0;
	names->more = names->count == SECRETS_STAGES_MAX;
	if (!names->more)
		text_copy(names->items[names->count++], SECRETS_NAME_SIZE, secret->name);
	return names->more;
}

static int open_newest(struct control *c, const struct seal_key *key, const char *app,
		       const char *name, struct buf *to, struct error *err)
{
	struct store_secret row;
	struct buf sealed;
	char what[ABOUT_SIZE];
	buf_init(&sealed, SEALED_MAX);
	int result = find_version(c, app, name, 0, &row, &sealed, err);
	buf_printf(to, "%s=", name);
	if (result == 0)
		result = seal_open(key, about(app, name, row.version, what), sealed.data,
				   sealed.size, to, err);
	buf_append(to, "", 1);
	buf_done(&sealed);
	return result;
}

int secrets_of_stages(struct control *c, const char *app, struct buf *to, struct error *err)
{
	struct stage_names *names = mem_zero(1, sizeof *names);
	struct seal_key key;
	bool first;
	names->app = app;
	int result = store_secrets(c->parts.store, add_name, names, err);
	if (result >= 0 && names->more)
		result = error_set(err, ERR_LIMIT,
				   "The stages of %s have more than %d secrets; remove some: davit "
				   "secrets list",
				   app, SECRETS_STAGES_MAX);
	if (result == 0 && names->count > 0) {
		result = take_key(c, false, &key, &first, err);
		for (uint32_t i = 0; result == 0 && i < names->count; i++)
			result = open_newest(c, &key, app, names->items[i], to, err);
		seal_key_wipe(&key);
	}
	free(names);
	return result;
}

/* That it is there, and, of a command of a check, that it can be masked. */
static int check_one(struct environment *e, const struct release_info *info,
		     const struct app_secret *secret, bool masked, struct error *err)
{
	struct control *c = e->control;
	const char *name = name_of(secret->from);
	struct store_secret_pin pin = {.version = 0};
	struct store_secret row;
	struct buf sealed;
	buf_init(&sealed, SEALED_MAX);
	int result = check_scope(name, e->name, err);
	if (result == 0 && secret->version == APP_SECRET_PINNED)
		result = find_pin(c, e->app, e->name, info->hex, name, &pin, err);
	if (result == 0)
		result = find_version(c, e->app, name, pin.version, &row, &sealed, err);
	if (result == 0 && masked &&
	    (sealed.size < SEAL_OVERHEAD + CHECK_SECRET_MIN ||
	     sealed.size > SEAL_OVERHEAD + CHECK_SECRET_MAX))
		result = error_set(
			err, ERR_INVALID,
			"A command of a check takes secrets of %d to %d bytes, for others "
			"cannot be masked in what it says; set another value: davit "
			"secrets set %s --app %s",
			CHECK_SECRET_MIN, CHECK_SECRET_MAX, name, e->app);
	buf_done(&sealed);
	return result;
}

static int check_checks(struct environment *e, const struct release_info *info, bool *any,
			struct error *err)
{
	int result = 0;
	for (uint32_t i = 0; i < info->config->check_count; i++) {
		const struct app_check *check = &info->config->checks[i];
		if (!config_uses_check(info->config, check->name))
			continue;
		for (uint32_t p = 0; p < check->count; p++)
			for (uint32_t k = 0; k < check->probes[p].secret_count && result == 0;
			     k++) {
				*any = true;
				result =
					check_one(e, info, &check->probes[p].secrets[k], true, err);
			}
	}
	return result;
}

int secrets_check(struct environment *e, const struct release_info *info, struct error *err)
{
	const struct app_environment *config = &info->config->environment;
	struct seal_key key;
	bool first, any = false;
	int result = 0;
	for (uint32_t i = 0; i < config->process_count; i++) {
		const struct app_process *process = &config->processes[i];
		any |= process->secret_count > 0;
		for (uint32_t k = 0; k < process->secret_count && result == 0; k++)
			result = check_one(e, info, &process->secrets[k], false, err);
	}
	if (result == 0)
		result = check_checks(e, info, &any, err);
	if (result == 0 && any)
		result = take_key(e->control, false, &key, &first, err);
	if (result == 0 && any)
		seal_key_wipe(&key);
	return result;
}

void secrets_fill(const struct app_process *process, struct instance_spec *spec)
{
	spec->secret_count = process->secret_count;
	for (uint32_t i = 0; i < process->secret_count; i++) {
		const struct app_secret *from = &process->secrets[i];
		spec->secrets[i] =
			(struct instance_secret){.name = from->name,
						 .from = from->from,
						 .file = from->as == APP_SECRET_FILE,
						 .pinned = from->version == APP_SECRET_PINNED};
	}
}

/* What a list of secrets of one process or one command says of this name. */
struct found {
	bool used, latest;
};

static void look_for(const char *name, const struct app_secret *secrets, uint32_t count,
		     struct found *found)
{
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(name_of(secrets[i].from), name) != 0)
			continue;
		found->used = true;
		found->latest |= secrets[i].version == APP_SECRET_LATEST;
	}
}

static struct found look_in_processes(const struct resolved *config, const char *name)
{
	struct found found = {.used = false};
	for (uint32_t i = 0; i < config->environment.process_count; i++)
		look_for(name, config->environment.processes[i].secrets,
			 config->environment.processes[i].secret_count, &found);
	return found;
}

static struct found look_in_checks(const struct resolved *config, const char *name)
{
	struct found found = {.used = false};
	for (uint32_t i = 0; i < config->check_count; i++) {
		const struct app_check *check = &config->checks[i];
		for (uint32_t p = 0; p < check->count && config_uses_check(config, check->name);
		     p++)
			look_for(name, check->probes[p].secrets, check->probes[p].secret_count,
				 &found);
	}
	return found;
}

void control_secret_uses(struct control *c, const char *app, const char *name,
			 secret_use_visit visit, void *context)
{
	for (uint32_t i = 0; i < c->environment_count; i++) {
		struct environment *e = c->environments[i];
		const struct release_info *live = environment_release(e, e->core.stable);
		if (strcmp(e->app, app) != 0 || !live || !live->config)
			continue;
		struct found found = look_in_processes(live->config, name);
		struct secret_use use = {.app = e->app, .environment = e->name};
		use.checks = !found.used;
		if (!found.used)
			found = look_in_checks(live->config, name);
		use.pinned = !found.latest;
		if (found.used)
			visit(context, &use);
	}
}
