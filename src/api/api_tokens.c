/* SPDX-License-Identifier: Apache-2.0
 * api_tokens - tokens are made, shown without what they are, and revoked. See routes.h.
 *
 * No token makes another: who may do this is at the server's machine. */
#include <stdio.h>
#include <string.h>

#include "api/network.h"
#include "api/routes.h"
#include "base/text.h"
#include "control/tokens.h"
#include "store/tokens.h"

static json_t *json_of_token(const struct store_token *t)
{
	char words[TOKEN_SCOPES_SIZE];
	json_t *o =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "name", t->name, "shown", t->shown,
			  "scopes", token_scopes_text(t->scopes, words), "reach", t->reach, "by",
			  t->by, "created_unix_ms", (json_int_t)t->created_unix_ms,
			  "expires_unix_ms", (json_int_t)t->expires_unix_ms);
	if (t->used_unix_ms > 0)
		json_object_set_new(o, "used_unix_ms", json_integer((json_int_t)t->used_unix_ms));
	return o;
}

static int add_token(void *context, const struct store_token *t)
{
	json_array_append_new(context, json_of_token(t));
	return 0;
}

void get_tokens(struct api *api, struct http_request *request)
{
	json_t *tokens = json_array();
	struct error err;
	if (store_tokens(api->parts.store, add_token, tokens, &err) < 0) {
		json_decref(tokens);
		answer_error(request, &err, NULL);
		return;
	}
	json_t *o = json_pack("{s:s, s:o}", "schema", "davit.v1/tokens", "tokens", tokens);
	if (network_address(api->network))
		json_object_set_new(o, "listen", json_string(network_address(api->network)));
	answer_json(request, 200, o);
}

static bool body_time(struct http_request *request, const json_t *body, uint64_t *ret_unix_ms)
{
	const json_t *value = json_object_get(body, "expires_unix_ms");
	struct error err;
	if (json_is_integer(value) && json_integer_value(value) > 0) {
		*ret_unix_ms = (uint64_t)json_integer_value(value);
		return true;
	}
	error_set(&err, ERR_INVALID, "\"expires_unix_ms\" is a time in milliseconds.");
	answer_error(request, &err, NULL);
	return false;
}

void post_token(struct api *api, struct http_request *request)
{
	static const char *const fields[] = {"name", "scopes", "reach", "expires_unix_ms", NULL};
	struct control_caller caller = caller_of(request);
	char name[STORE_NAME_SIZE], scopes[TOKEN_SCOPES_SIZE], reach[STORE_SENTENCE_SIZE],
		token[TOKEN_TEXT_SIZE];
	struct token_order order = {.name = name, .scopes = scopes, .reach = reach};
	struct store_token row;
	struct error err;
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	bool fine = body_text(request, body, "name", name, sizeof name) &&
		    body_text(request, body, "scopes", scopes, sizeof scopes) &&
		    body_text(request, body, "reach", reach, sizeof reach) &&
		    body_time(request, body, &order.expires_unix_ms);
	json_decref(body);
	if (!fine)
		return;
	int result = control_create_token(api->parts.control, &caller, &order, token, &err);
	if (result == 0)
		result = store_token_by_name(api->parts.store, name, &row, &err);
	if (result < 0) {
		answer_error(request, &err, NULL);
		return;
	}
	json_t *o = json_of_token(&row);
	json_object_set_new(o, "schema", json_string("davit.v1/token"));
	json_object_set_new(o, "token", json_string(token));
	explicit_bzero(token, sizeof token);
	answer_json(request, 201, o);
}

void post_token_revoke(struct api *api, struct http_request *request)
{
	struct control_caller caller = caller_of(request);
	const char *name = http_segment(request, 2);
	struct error err;
	if (control_revoke_token(api->parts.control, &caller, name, &err) < 0) {
		answer_error(request, &err, "davit token list");
		return;
	}
	api_cut_gone(api);
	answer_json(request, 200,
		    json_pack("{s:s, s:s, s:b}", "schema", "davit.v1/token", "name", name,
			      "revoked", 1));
}
