/* SPDX-License-Identifier: Apache-2.0
 * client - see client.h for the contract.
 *
 * A socket's path may be longer than the 108 bytes that the kernel takes: the directory is opened, and the
 * socket reached through /proc/self/fd. */
#include "cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/remote.h"
#include "cli/web.h"

enum { ANSWER_MAX = 64 << 20 };

struct client {
	CURL *curl;
	struct remote *remote; /* over ssh; NULL: not so */
	struct web *web;       /* over the network; NULL: not so */
	int directory;
	char socket[64];
	char state[4096];
	char next[256];
	struct buf answer;
	/* a stream */
	bool (*line)(void *context, const char *text);
	void *line_context;
	bool ended;
	bool (*idle)(void *context);
	void *idle_context;
	/* an upload */
	const char *config;
	size_t config_left;
	long (*read)(void *context, void *to, size_t size);
	void *read_context;
	bool read_failed;
	long status;
};

static bool has_socket(const char *directory)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/api.sock", directory);
	return access(path, F_OK) == 0;
}

const char *client_state(const struct cli *cli)
{
	const char *named = cli->state ? cli->state : getenv("DAVIT_STATE");
	if (named && named[0])
		return named;
	if (has_socket(".davit") || !has_socket("/var/lib/davit"))
		return ".davit";
	return "/var/lib/davit";
}

static struct client *new_client(int directory)
{
	struct client *client = mem_zero(1, sizeof *client);
	client->directory = directory;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	client->curl = curl_easy_init();
	ASSERT(client->curl);
	buf_init(&client->answer, ANSWER_MAX);
	return client;
}

static int open_remote(const struct cli *cli, struct client **ret_client, struct error *err)
{
	struct remote remote;
	int code = remote_parse(cli->host, &remote, err);
	if (code < 0)
		return code;
	if (cli->state)
		return error_set(err, ERR_INVALID,
				 "--state names a directory of this machine; behind a host it "
				 "stands in the address: ssh://%s/STATE/DIR.",
				 remote.host);
	struct client *client = new_client(-1);
	client->remote = mem_new(sizeof remote);
	*client->remote = remote;
	text_copy(client->state, sizeof client->state, cli->host);
	text_copy(client->socket, sizeof client->socket, remote.socket);
	signal(SIGPIPE, SIG_IGN);
	*ret_client = client;
	return 0;
}

static int open_web(const struct cli *cli, struct client **ret_client, struct error *err)
{
	struct web *web;
	int code = web_open(cli->host, &web, err);
	if (code == 0 && cli->state)
		code = error_set(err, ERR_INVALID,
				 "--state names a directory of this machine; behind a host there "
				 "is none.");
	if (code < 0)
		return code;
	struct client *client = new_client(-1);
	client->web = web;
	text_copy(client->state, sizeof client->state, cli->host);
	*ret_client = client;
	return 0;
}

int client_open(const struct cli *cli, struct client **ret_client, struct error *err)
{
	if (cli->host && web_is_address(cli->host))
		return open_web(cli, ret_client, err);
	if (cli->host)
		return open_remote(cli, ret_client, err);
	const char *state = client_state(cli);
	int directory = open(state, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return error_set(
			err, ERR_UNAVAILABLE,
			"There is no server here: the state directory %s does not exist. Start one "
			"with \"davit up\", or name its directory with --state.",
			state);
	struct client *client = new_client(directory);
	text_copy(client->state, sizeof client->state, state);
	snprintf(client->socket, sizeof client->socket, "/proc/self/fd/%d/api.sock", directory);
	*ret_client = client;
	return 0;
}

const char *client_open_next(const struct cli *cli)
{
	return cli->host ? NULL : "davit up";
}

void client_free(struct client *client)
{
	if (!client)
		return;
	curl_easy_cleanup(client->curl);
	if (client->directory >= 0)
		close(client->directory);
	if (client->remote)
		remote_end(client->remote);
	free(client->remote);
	web_free(client->web);
	buf_done(&client->answer);
	free(client);
}

const char *client_next(const struct client *client)
{
	return client->next[0] ? client->next : NULL;
}

void client_on_idle(struct client *client, bool (*idle)(void *context), void *context)
{
	client->idle = idle;
	client->idle_context = context;
}

static size_t keep_answer(char *data, size_t size, size_t count, void *context)
{
	struct client *client = context;
	buf_append(&client->answer, data, size * count);
	return client->answer.overflowed ? 0 : size * count;
}

/* A stream's lines are handed on as they are complete; an error answer is kept whole. */
static size_t take_stream(char *data, size_t size, size_t count, void *context)
{
	struct client *client = context;
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &client->status);
	buf_append(&client->answer, data, size * count);
	if (client->status != 200)
		return size * count;
	char *end;
	while (!client->ended && client->answer.size > 0 &&
	       (end = memchr(client->answer.data, '\n', client->answer.size))) {
		*end = '\0';
		if (!client->line(client->line_context, client->answer.data))
			client->ended = true;
		buf_drop(&client->answer, (size_t)(end - client->answer.data) + 1);
	}
	return client->ended ? 0 : size * count;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct client *client = context;
	(void)a, (void)b, (void)c, (void)d;
	if (client->idle && !client->idle(client->idle_context))
		client->ended = true;
	return client->ended ? 1 : 0;
}

static size_t give_upload(char *to, size_t size, size_t count, void *context)
{
	struct client *client = context;
	size_t room = size * count;
	if (client->config_left > 0) {
		size_t part = client->config_left < room ? client->config_left : room;
		memcpy(to, client->config, part);
		client->config += part;
		client->config_left -= part;
		return part;
	}
	long n = client->read(client->read_context, to, room);
	client->read_failed = n < 0;
	return n < 0 ? CURL_READFUNC_ABORT : (size_t)n;
}

static int error_from_answer(struct client *client, struct error *err)
{
	json_t *o = json_loadb(buf_text(&client->answer), client->answer.size, 0, NULL);
	const char *name = json_string_value(json_object_get(o, "error")),
		   *message = json_string_value(json_object_get(o, "message")),
		   *where = json_string_value(json_object_get(o, "where")),
		   *next = json_string_value(json_object_get(o, "next"));
	text_copy(client->next, sizeof client->next, next ? next : "");
	int code = error_set(err, name ? err_from_name(name) : ERR_INTERNAL, "%s",
			     message ? message
				     : "The server gave an answer that davit does not understand.");
	if (where && where[0])
		error_where(err, "%s", where);
	json_decref(o);
	return code;
}

/* Each connection is an ssh of its own. */
static curl_socket_t open_stream(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct client *client = context;
	(void)purpose;
	if (remote_start(client->remote) < 0)
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A server on a UNIX socket, or behind ssh. */
static void prepare_socket(struct client *client, const char *path)
{
	char url[2048];
	snprintf(url, sizeof url, "http://davit%s", path);
	curl_easy_setopt(client->curl, CURLOPT_URL, url);
	curl_easy_setopt(client->curl, CURLOPT_UNIX_SOCKET_PATH, client->socket);
	if (client->remote) {
		curl_easy_setopt(client->curl, CURLOPT_OPENSOCKETFUNCTION, open_stream);
		curl_easy_setopt(client->curl, CURLOPT_OPENSOCKETDATA, client);
	}
	curl_easy_setopt(client->curl, CURLOPT_PROXY, "");
}

static void prepare(struct client *client, const char *path, struct curl_slist *fields)
{
	curl_easy_reset(client->curl);
	buf_clear(&client->answer);
	client->ended = false;
	client->status = 0;
	if (client->web)
		web_prepare(client->web, client->curl, path);
	else
		prepare_socket(client, path);
	curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, fields);
	curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, keep_answer);
	curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, client);
}

static int perform(struct client *client, json_t **ret_json, struct error *err)
{
	CURLcode code = curl_easy_perform(client->curl);
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &client->status);
	client->next[0] = '\0';
	/* Nothing came back: then ssh has ended, or is about to. */
	if (client->remote && !client->read_failed && !client->ended &&
	    (code == CURLE_COULDNT_CONNECT || code == CURLE_GOT_NOTHING ||
	     code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR)) {
		if (code == CURLE_COULDNT_CONNECT)
			remote_end(client->remote); /* it waits for a connection still */
		int why = remote_why(client->remote, err);
		if (why < 0)
			return why;
	}
	if (client->web && !client->read_failed && !client->ended) {
		int why = web_why(client->web, code, err);
		if (why < 0)
			return why;
	}
	if (code == CURLE_COULDNT_CONNECT && access(client->socket, W_OK) != 0 && errno == EACCES)
		return error_set(err, ERR_DENIED,
				 "Only the user that runs davit in %s, root, and the group that "
				 "the server's "
				 "own file names (socket_group) may talk to it.",
				 client->state);
	if (code == CURLE_COULDNT_CONNECT) {
		text_copy(client->next, sizeof client->next, "davit up");
		return error_set(err, ERR_UNAVAILABLE,
				 "No server answers on %s/api.sock. Start one with \"davit up\".",
				 client->state);
	}
	if (client->read_failed)
		return (int)err->code;
	if (client->ended)
		return 0;
	if (code != CURLE_OK)
		return error_set(err, ERR_CLOSED, "The connection to the server broke: %s.",
				 curl_easy_strerror(code));
	if (client->status >= 300)
		return error_from_answer(client, err);
	if (!ret_json)
		return 0;
	*ret_json = json_loadb(buf_text(&client->answer), client->answer.size, 0, NULL);
	return *ret_json ? 0 : error_set(err, ERR_CORRUPT, "The server's answer is not JSON.");
}

int client_get(struct client *client, const char *path, json_t **ret_json, struct error *err)
{
	prepare(client, path, NULL);
	return perform(client, ret_json, err);
}

/* One id a request: when the connection breaks it can be sent again without a second effect. */
static struct curl_slist *request_id(struct curl_slist *fields)
{
	uint64_t random[2] = {0};
	char field[80];
	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return fields;
	snprintf(field, sizeof field, "Davit-Request-Id: %016llx%016llx",
		 (unsigned long long)random[0], (unsigned long long)random[1]);
	return curl_slist_append(fields, field);
}

static int post(struct client *client, const char *path, const char *type, const void *body,
		size_t size, json_t **ret_json, struct error *err)
{
	struct curl_slist *fields = request_id(curl_slist_append(NULL, type));
	prepare(client, path, fields);
	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, body);
	int result = perform(client, ret_json, err);
	if (result == ERR_CLOSED) { /* the server was restarted under us: the id makes this safe */
		struct error again;
		if (perform(client, ret_json, &again) == 0)
			result = 0;
	}
	curl_slist_free_all(fields);
	return result;
}

int client_post(struct client *client, const char *path, json_t *body, json_t **ret_json,
		struct error *err)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	int result = post(client, path, "Content-Type: application/json", text ? text : "",
			  text ? strlen(text) : 0, ret_json, err);
	free(text);
	return result;
}

int client_send(struct client *client, const char *path, const void *bytes, size_t size,
		json_t **ret_json, struct error *err)
{
	return post(client, path, "Content-Type: application/octet-stream", bytes, size, ret_json,
		    err);
}

int client_upload(struct client *client, const char *path, const char *config, size_t config_size,
		  long (*read)(void *context, void *to, size_t size), void *context,
		  json_t **ret_json, struct error *err)
{
	char field[64];
	snprintf(field, sizeof field, "Davit-Config-Size: %zu", config_size);
	struct curl_slist *fields = curl_slist_append(NULL, field);
	fields = curl_slist_append(fields, "Transfer-Encoding: chunked");
	/* Over the network it waits to be admitted; here it always is. */
	if (!client->web)
		fields = curl_slist_append(fields, "Expect:");
	client->config = config;
	client->config_left = config_size;
	client->read = read;
	client->read_context = context;
	client->read_failed = false;
	prepare(client, path, fields);
	curl_easy_setopt(client->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(client->curl, CURLOPT_READFUNCTION, give_upload);
	curl_easy_setopt(client->curl, CURLOPT_READDATA, client);
	int result = perform(client, ret_json, err);
	curl_slist_free_all(fields);
	client->read_failed = false;
	return result;
}

int client_stream(struct client *client, const char *path,
		  bool (*line)(void *context, const char *text), void *context, struct error *err)
{
	client->line = line;
	client->line_context = context;
	prepare(client, path, NULL);
	curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, take_stream);
	curl_easy_setopt(client->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(client->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(client->curl, CURLOPT_XFERINFODATA, client);
	return perform(client, NULL, err);
}

const char *client_path(const char *before, const char *text, const char *rest, char *to,
			size_t size)
{
	char *encoded = curl_easy_escape(NULL, text, 0);
	snprintf(to, size, "%s%s%s", before, encoded ? encoded : "", rest);
	curl_free(encoded);
	return to;
}

void client_query(char *path, size_t size, const char *key, const char *value)
{
	size_t used = strlen(path);
	char before[64];
	if (!value || !value[0])
		return;
	snprintf(before, sizeof before, "%c%s=", strchr(path, '?') ? '&' : '?', key);
	client_path(before, value, "", path + used, size - used);
}
