/* SPDX-License-Identifier: Apache-2.0
 * release_config - see release_config.h for the contract. */
#include "control/release_config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"

/* Compact and sorted: the same content is the same bytes. */
enum { CANONICAL = JSON_COMPACT | JSON_SORT_KEYS };

static struct digest digest_of_json(const json_t *environments)
{
	char *canonical = json_dumps(environments, CANONICAL);
	ASSERT(canonical);
	struct digest digest = digest_of(canonical, strlen(canonical));
	free(canonical);
	return digest;
}

static void finish(json_t *environments, const char *text, struct buf *ret_json,
		   struct digest *ret_digest)
{
	*ret_digest = digest_of_json(environments);
	json_t *whole = json_object();
	json_object_set(whole, "environments", environments);
	json_object_set_new(whole, "text", json_string(text));
	char *dump = json_dumps(whole, CANONICAL);
	ASSERT(dump);
	buf_puts(ret_json, dump);
	free(dump);
	json_decref(whole);
}

static int load(const char *yaml, size_t size, const char *file, struct app **ret_app,
		struct error *err)
{
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	int result = config_load(yaml, size, file, ret_app, errors);
	if (result < 0) {
		*err = errors->items[0];
		if (errors->count > 1)
			error_prefix(err, "The first of %u errors",
				     errors->count + errors->left_out);
		err->code = ERR_INVALID;
		result = ERR_INVALID;
	}
	free(errors);
	return result;
}

static int add_environment(const struct app *app, const char *name, json_t *to, struct error *err)
{
	struct resolved *resolved;
	struct buf text;
	int result = config_resolve(app, name, NULL, &resolved, err);
	if (result < 0)
		return result;
	buf_init(&text, CONFIG_ENCODED_MAX);
	config_encode(resolved, &text);
	config_resolved_free(resolved);
	json_t *object = json_loadb(buf_text(&text), text.size, 0, NULL);
	buf_done(&text);
	ASSERT(object);
	json_object_set_new(to, name, object);
	return 0;
}

int release_config_make(const char *yaml, const char *file, struct buf *ret_json,
			struct digest *ret_digest, char ret_app_name[48], struct error *err)
{
	struct app *app;
	int result = load(yaml, strlen(yaml), file, &app, err);
	if (result < 0)
		return result;
	json_t *environments = json_object();
	for (uint32_t i = 0; result == 0 && i < app->environment_count; i++)
		result = add_environment(app, app->environments[i].name, environments, err);
	if (result == 0) {
		finish(environments, yaml, ret_json, ret_digest);
		text_copy(ret_app_name, 48, app->name);
	}
	json_decref(environments);
	config_free(app);
	return result;
}

static int open_json(const char *json, size_t size, json_t **ret_whole, struct error *err)
{
	json_error_t where;
	json_t *whole = json_loadb(json, size, 0, &where);
	if (!json_is_object(json_object_get(whole, "environments"))) {
		json_decref(whole);
		return error_set(err, ERR_CORRUPT,
				 "The stored configuration of a release is damaged.");
	}
	*ret_whole = whole;
	return 0;
}

int release_config_again(const char *json, size_t size, uint64_t salt, struct buf *ret_json,
			 struct digest *ret_digest, struct error *err)
{
	json_t *whole;
	int result = open_json(json, size, &whole, err);
	if (result < 0)
		return result;
	const char *text = json_string_value(json_object_get(whole, "text"));
	json_t *environments = json_object_get(whole, "environments");
	finish(environments, text ? text : "", ret_json, ret_digest);
	uint8_t both[DIGEST_SIZE + sizeof salt];
	memcpy(both, ret_digest->bytes, DIGEST_SIZE);
	memcpy(both + DIGEST_SIZE, &salt, sizeof salt);
	*ret_digest = digest_of(both, sizeof both);
	json_decref(whole);
	return 0;
}

int release_config_digest(const char *json, size_t size, struct digest *ret_digest,
			  struct error *err)
{
	json_t *whole;
	int result = open_json(json, size, &whole, err);
	if (result < 0)
		return result;
	*ret_digest = digest_of_json(json_object_get(whole, "environments"));
	json_decref(whole);
	return 0;
}

int release_config_text(const char *json, size_t size, const char *environment,
			struct buf *ret_text, struct error *err)
{
	json_t *whole;
	int result = open_json(json, size, &whole, err);
	if (result < 0)
		return result;
	json_t *one = json_object_get(json_object_get(whole, "environments"), environment);
	if (one) {
		char *dump = json_dumps(one, CANONICAL);
		ASSERT(dump);
		buf_puts(ret_text, dump);
		free(dump);
	} else {
		result = error_set(err, ERR_NOT_FOUND,
				   "The release's configuration has no environment \"%s\".",
				   environment);
	}
	json_decref(whole);
	return result;
}

int release_config_resolved(const char *json, size_t size, const char *environment,
			    struct resolved **ret_resolved, struct error *err)
{
	struct buf text;
	buf_init(&text, CONFIG_ENCODED_MAX);
	int result = release_config_text(json, size, environment, &text, err);
	if (result == 0)
		result = config_decode(buf_text(&text), text.size, ret_resolved, err);
	buf_done(&text);
	return result;
}

int release_config_each(const char *json, size_t size, release_config_visit visit, void *context,
			struct error *err)
{
	json_t *whole, *one;
	const char *name;
	int result = open_json(json, size, &whole, err);
	if (result < 0)
		return result;
	json_object_foreach(json_object_get(whole, "environments"), name, one)
	{
		struct resolved *resolved;
		result = release_config_resolved(json, size, name, &resolved, err);
		if (result < 0)
			break;
		result = visit(context, name, resolved);
		config_resolved_free(resolved);
		if (result != 0)
			break;
	}
	json_decref(whole);
	return result;
}

int release_config_strategy(const char *json, size_t size, const char *environment,
			    const char *strategy, struct resolved **ret_resolved, struct error *err)
{
	json_t *whole;
	struct app *app;
	int result = open_json(json, size, &whole, err);
	if (result < 0)
		return result;
	const char *text = json_string_value(json_object_get(whole, "text"));
	result = load(text ? text : "", text ? strlen(text) : 0, "davit.yaml", &app, err);
	if (result == 0) {
		result = config_resolve(app, environment, strategy, ret_resolved, err);
		config_free(app);
	}
	json_decref(whole);
	return result;
}
