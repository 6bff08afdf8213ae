/* SPDX-License-Identifier: Apache-2.0
 * host - see host.h for the contract. */
#include "drivers/host/host.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/secret_file.h"

enum {
	ANSWER_MAX = 1 << 20,
	TOKEN_MAX = 4096,
	URL_SIZE = 2048,
	FIELD_SIZE = 2 * TOKEN_MAX,
	SAID_SIZE = 160,
	WAIT_MAX_S = 3600,
	FOUND_MAX = 30
};

struct http_host {
	struct host host; /* first: what is handed out */
	atomic_bool cancelled;
};

/* One request and its answer. */
struct exchange {
	struct http_host *host;
	const struct host_message *message;
	const char *token;
	long status;
	uint32_t wait_s; /* that the host asks for */
	bool none_left;  /* of the requests that it takes until reset_s from now */
	uint64_t reset_s;
	struct buf answer;
};

static const char *state_of(const struct host_message *m)
{
	static const char *const statuses[] = {"pending", "pending", "success",
					       "failure", "error",   "error"};
	static const char *const deployments[] = {"queued",  "in_progress", "success",
						  "failure", "inactive",    "error"};
	static const char *const lab[] = {"pending", "running",  "success",
					  "failed",  "canceled", "failed"};
	return (m->kind == HOST_GITLAB ? lab
		: m->environment[0]    ? deployments
				       : statuses)[m->state];
}

/* --- one exchange */

static size_t take_answer(char *data, size_t size, size_t count, void *context)
{
	buf_append(context, data, size * count); /* past its ceiling: read and thrown away */
	return size * count;
}

/* The number of a field of this name ("retry-after:"); false: it is another one. */
static bool field_number(const char *data, size_t size, const char *name, uint64_t *ret_number)
{
	char value[32];
	size_t length = strlen(name);
	if (size <= length || size - length >= sizeof value || strncasecmp(data, name, length) != 0)
		return false;
	snprintf(value, sizeof value, "%.*s", (int)(size - length), data + length);
	char *from = value + strspn(value, " ");
	from[strcspn(from, " \r\n")] = '\0';
	return text_parse_u64(from, INT64_MAX, ret_number);
}

/* How long the host wants to be left alone; GitHub also says when its count of requests begins anew. */
static size_t take_field(char *data, size_t size, size_t count, void *context)
{
	struct exchange *x = context;
	uint64_t number, now_s = clock_wall_ms() / 1000, wait_s = 0;
	size *= count;
	if (field_number(data, size, "retry-after:", &number))
		wait_s = number;
	else if (field_number(data, size, "x-ratelimit-remaining:", &number))
		x->none_left = number == 0;
	else if (field_number(data, size, "x-ratelimit-reset:", &number) && number > now_s)
		x->reset_s = number - now_s;
	if (wait_s > 0)
		x->wait_s = wait_s > WAIT_MAX_S ? WAIT_MAX_S : (uint32_t)wait_s;
	return size;
}

static int watch(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct exchange *x = context;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return atomic_load(&x->host->cancelled);
}

static struct curl_slist *fields_of(const struct exchange *x)
{
	static const char *const begins[] = {[HOST_GITHUB] = "Authorization: Bearer ",
					     [HOST_GITLAB] = "PRIVATE-TOKEN: ",
					     [HOST_GITEA] = "Authorization: token "};
	char field[FIELD_SIZE];
	struct curl_slist *fields = NULL;
	snprintf(field, sizeof field, "%s%s", begins[x->message->kind], x->token);
	fields = curl_slist_append(fields, field);
	explicit_bzero(field, sizeof field);
	fields = curl_slist_append(fields, "Content-Type: application/json");
	if (x->message->kind == HOST_GITHUB) {
		fields = curl_slist_append(fields, "Accept: application/vnd.github+json");
		fields = curl_slist_append(fields, "X-GitHub-Api-Version: 2022-11-28");
	}
	ASSERT(fields);
	return fields;
}

static void free_fields(struct curl_slist *fields)
{
	for (struct curl_slist *f = fields; f; f = f->next)
		explicit_bzero(f->data, strlen(f->data));
	curl_slist_free_all(fields);
}

static CURL *prepare(struct exchange *x, const char *url, const char *body)
{
	CURL *curl = curl_easy_init();
	ASSERT(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "davit");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)HOST_TELL_MS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &x->answer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_field);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, x);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	if (text_starts(url, "http://")) /* of this machine: the token is for nobody in between */
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (body)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	return curl;
}

/* The host's own words, where it has some: {"message": ...}, as all three have it. */
static void quote(const struct exchange *x, char to[SAID_SIZE])
{
	json_t *answer = json_loadb(x->answer.data ? x->answer.data : "", x->answer.size, 0, NULL);
	json_t *words = json_object_get(answer, "message");
	char *text = json_is_string(words) ? NULL
		     : words               ? json_dumps(words, JSON_ENCODE_ANY)
					   : NULL;
	const char *said = json_is_string(words) ? json_string_value(words) : text ? text : "";
	text_show(said, strlen(said), to, SAID_SIZE);
	free(text);
	json_decref(answer);
}

/* 403 and 429 with a time to wait are limits, not answers. */
static int judge(const struct exchange *x, const char *url, CURLcode code, struct error *err)
{
	char said[SAID_SIZE];
	bool limit = x->status == 429 || (x->status == 403 && x->wait_s > 0);
	if (code != CURLE_OK)
		return error_set(err, ERR_RETRY, "%s cannot be reached: %s.", url,
				 curl_easy_strerror(code));
	if (x->status >= 200 && x->status < 300)
		return 0;
	quote(x, said);
	return error_set(err,
			 limit || x->status == 408 || x->status >= 500 ? ERR_RETRY : ERR_DENIED,
			 "%s answered %ld%s%s.", url, x->status, said[0] ? ": " : "", said);
}

/* `body` NULL: a GET. It is released. */
static int ask(struct exchange *x, const char *url, json_t *body, struct error *err)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct curl_slist *fields = fields_of(x);
	CURL *curl = prepare(x, url, text);
	buf_clear(&x->answer);
	x->status = 0;
	x->wait_s = 0;
	x->none_left = false;
	x->reset_s = 0;
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &x->status);
	curl_easy_cleanup(curl);
	free_fields(fields);
	free(text);
	json_decref(body);
	if (x->none_left && x->wait_s == 0)
		x->wait_s = x->reset_s > WAIT_MAX_S ? WAIT_MAX_S : (uint32_t)x->reset_s + 1;
	return judge(x, url, code, err);
}

/* --- what is told */

/* At most 140 characters, and none of them cut in two. */
static json_t *description_of(const struct host_message *m)
{
	size_t characters = 0, size = 0;
	for (; m->description[size]; size++)
		if ((m->description[size] & 0xc0) != 0x80 && characters++ == HOST_DESCRIPTION_MAX)
			break;
	json_t *text = json_stringn(m->description, size);
	return text ? text : json_string("");
}

static json_t *status_body(const struct host_message *m)
{
	return json_pack("{s:s, s:s, s:o}", "state", state_of(m),
			 m->kind == HOST_GITLAB ? "name" : "context", m->context, "description",
			 description_of(m));
}

static int tell_status(struct exchange *x, struct error *err)
{
	const struct host_message *m = x->message;
	char url[URL_SIZE];
	if (m->kind != HOST_GITLAB) {
		snprintf(url, sizeof url, "%s/repos/%s/statuses/%s", m->api, m->repository,
			 m->commit);
		return ask(x, url, status_body(m), err);
	}
	char *name = curl_easy_escape(NULL, m->repository, 0);
	ASSERT(name);
	snprintf(url, sizeof url, "%s/projects/%s/statuses/%s", m->api, name, m->commit);
	curl_free(name);
	int code = ask(x, url, status_body(m), err);
	/* It refuses a state that it is in already. */
	return code == ERR_DENIED && x->status == 400 &&
			       strstr(err->text, "Cannot transition status")
		       ? 0
		       : code;
}

/* The deployment that an earlier try made, if it did: 0 and its number, or 0 where there is none. */
static int find_deployment(struct exchange *x, struct host_message *m, struct error *err)
{
	char url[URL_SIZE];
	json_t *row;
	size_t i;
	snprintf(url, sizeof url, "%s/repos/%s/deployments?sha=%s&environment=%s&per_page=%d",
		 m->api, m->repository, m->commit, m->environment, FOUND_MAX);
	int code = ask(x, url, NULL, err);
	if (code < 0)
		return code;
	json_t *list = json_loadb(x->answer.data ? x->answer.data : "", x->answer.size, 0, NULL);
	json_array_foreach (list, i, row) {
		const char *key = json_string_value(
			json_object_get(json_object_get(row, "payload"), "davit"));
		if (key && strcmp(key, m->key) == 0 && json_is_integer(json_object_get(row, "id")))
			m->number = (uint64_t)json_integer_value(json_object_get(row, "id"));
	}
	json_decref(list);
	return 0;
}

/* GitHub answers 202 where it did something else instead, and made none. */
static int make_deployment(struct exchange *x, struct host_message *m, struct error *err)
{
	char url[URL_SIZE];
	snprintf(url, sizeof url, "%s/repos/%s/deployments", m->api, m->repository);
	int code = ask(x, url,
		       json_pack("{s:s, s:s, s:b, s:[], s:s, s:o, s:{s:s}, s:b, s:b}", "ref",
				 m->commit, "task", "deploy", "auto_merge", 0, "required_contexts",
				 "environment", m->environment, "description", description_of(m),
				 "payload", "davit", m->key, "production_environment",
				 m->production, "transient_environment", 0),
		       err);
	if (code < 0)
		return code;
	json_t *made = json_loadb(x->answer.data ? x->answer.data : "", x->answer.size, 0, NULL);
	json_t *id = json_object_get(made, "id");
	m->number = json_is_integer(id) && json_integer_value(id) > 0
			    ? (uint64_t)json_integer_value(id)
			    : 0;
	json_decref(made);
	FAILPOINT("host.after-deployment");
	return m->number > 0 ? 0
			     : error_set(err, ERR_DENIED, "%s answered %ld and made no deployment.",
					 url, x->status);
}

static int tell_deployment(struct exchange *x, struct host_message *m, struct error *err)
{
	char url[URL_SIZE];
	int code = m->number > 0 ? 0 : find_deployment(x, m, err);
	if (code == 0 && m->number == 0)
		code = make_deployment(x, m, err);
	if (code < 0)
		return code;
	snprintf(url, sizeof url, "%s/repos/%s/deployments/%llu/statuses", m->api, m->repository,
		 (unsigned long long)m->number);
	return ask(x, url,
		   json_pack("{s:s, s:o, s:s, s:b}", "state", state_of(m), "description",
			     description_of(m), "environment", m->environment, "auto_inactive", 1),
		   err);
}

static int tell(struct host *host, struct host_message *m, struct error *err)
{
	struct exchange x = {.host = (struct http_host *)host, .message = m};
	struct buf token;
	buf_init(&token, TOKEN_MAX);
	token.secret = true;
	buf_init(&x.answer, ANSWER_MAX);
	int code = secret_file_read(m->token_file, &token, err);
	/* A file can be mended, and nothing is lost by waiting for that. */
	if (code < 0)
		code = ERR_RETRY;
	else if (!text_is_printable(buf_text(&token)))
		code = error_set(err, ERR_RETRY, "What is in %s is no token.", m->token_file);
	x.token = buf_text(&token);
	if (code == 0)
		code = m->environment[0] ? tell_deployment(&x, m, err) : tell_status(&x, err);
	m->wait_s = x.wait_s;
	buf_done(&x.answer);
	buf_done(&token);
	return code;
}

/* --- the interface */

static const struct host_ops ops = {.tell = tell};

struct host *host_http_new(void)
{
	struct http_host *host = mem_zero(1, sizeof *host);
	host->host.ops = &ops;
	return &host->host;
}

void host_http_cancel(struct host *host)
{
	if (host)
		atomic_store(&((struct http_host *)host)->cancelled, true);
}

void host_http_free(struct host *host)
{
	free(host);
}
