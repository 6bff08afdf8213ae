/* SPDX-License-Identifier: Apache-2.0
 * http - see http.h for the contract.
 *
 * libmicrohttpd runs in its epoll mode without threads: its epoll descriptor is watched by our loop, and
 * its next timeout is a timer of ours. A request that waits and a stream that has nothing to say are
 * suspended connections. */
#include "api/http.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/http_request.h"
#include "api/json.h"
#include "base/text.h"

enum { ANSWER_TIMEOUT_S = 120, STRANGERS_TIMEOUT_S = 20 };

static void arm(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;
	struct env *env = loop_env(server->loop);
	if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES)
		env->ops->timer_start(env, &server->timer, timeout_ms);
	else
		env->ops->timer_stop(env, &server->timer);
}

static void run(struct http_server *server)
{
	MHD_run(server->daemon);
	arm(server);
}

static void on_ready(void *context, int events)
{
	(void)events;
	run(context);
}

static void on_timer(void *context)
{
	run(context);
}

void http_resume(struct http_request *r)
{
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->connection);
	/* The daemon notices at its next run, which a timer makes a turn of its own. */
	struct env *env = loop_env(r->server->loop);
	env->ops->timer_start(env, &r->server->timer, 0);
}

void http_suspend(struct http_request *r)
{
	if (r->suspended || r->server->ending)
		return;
	r->suspended = true;
	MHD_suspend_connection(r->connection);
}

static void admit(struct http_request *r)
{
	const struct http_options *options = &r->server->options;
	r->refused = options->admit(options->context, r, r->who, &r->refusal);
	r->allowed = r->refused == 0;
	if (r->allowed)
		MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT,
					  (unsigned)ANSWER_TIMEOUT_S);
}

static void admit_guest(struct http_request *r)
{
	const struct http_options *options = &r->server->options;
	r->refused = options->admit_guest(options->context, r, &r->refusal);
	r->allowed = r->refused == 0;
}

/* Who is at the other end: the kernel knows. */
static void identify(struct http_request *r)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred peer;
	socklen_t size = sizeof peer;
	if (r->target_too_long) { /* what it is about cannot be told */
		r->refused = 414;
		error_set(&r->refusal, ERR_LIMIT, "The address is longer than davit takes.");
		return;
	}
	if (r->server->options.admit) {
		admit(r);
		return;
	}
	r->allowed = r->server->options.open;
	if (r->allowed)
		return;
	if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return;
	struct passwd entry, *found = NULL;
	char memory[4096];
	if (getpwuid_r(peer.uid, &entry, memory, sizeof memory, &found) == 0 && found)
		snprintf(r->who, sizeof r->who, "%s", found->pw_name);
	else
		snprintf(r->who, sizeof r->who, "uid-%u", peer.uid);
	r->allowed = r->owner = peer.uid == geteuid() || peer.uid == 0;
	if (!r->owner && r->server->options.admit_guest) {
		r->may_upload = false;
		admit_guest(r);
	}
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* In place; a broken escape stays as it is, and a NUL is never made. */
static void percent_decode(char *text)
{
	char *to = text;
	for (const char *p = text; *p; p++) {
		int high = *p == '%' ? hex_digit(p[1]) : -1, low = high >= 0 ? hex_digit(p[2]) : -1;
		if (low >= 0 && high * 16 + low != 0) {
			*to++ = (char)(high * 16 + low);
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

static void cut_path(struct http_request *r)
{
	char *rest = r->path, *segment;
	while ((segment = strsep(&rest, "/")) && r->segment_count < HTTP_SEGMENTS_MAX) {
		if (*segment == '\0')
			continue;
		percent_decode(segment);
		r->segments[r->segment_count++] = segment;
	}
}

/* libmicrohttpd would decode a path before it can be cut: then shop%2Fprod were two segments. */
static size_t leave_encoded(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context;
	(void)connection;
	return strlen(text);
}

static enum MHD_Result take_query(void *context, enum MHD_ValueKind kind, const char *name,
				  const char *value)
{
	struct http_request *r = context;
	(void)kind;
	if (r->query_count == HTTP_QUERY_MAX) {
		r->target_too_long = true;
		return MHD_NO;
	}
	percent_decode(r->query_names[r->query_count] = mem_copy_text(name));
	percent_decode(r->query_values[r->query_count] = mem_copy_text(value ? value : ""));
	r->query_count++;
	return MHD_YES;
}

static struct http_request *request_new(struct http_server *server,
					struct MHD_Connection *connection, const char *url,
					const char *method)
{
	struct http_request *r = mem_zero(1, sizeof *r);
	r->server = server;
	r->connection = connection;
	r->upload_fd = -1;
	r->may_upload = !server->options.admit;
	buf_init(&r->body, HTTP_BODY_MAX);
	r->body.secret = true; /* some are */
	snprintf(r->method, sizeof r->method, "%s", method);
	r->target_too_long = !text_copy(r->path, sizeof r->path, url);
	cut_path(r);
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_query, r);
	identify(r);
	r->next = server->first;
	if (server->first)
		server->first->previous = r;
	server->first = r;
	return r;
}

static void request_free(struct http_request *r)
{
	if (r->stream)
		http_stream_free(r);
	if (r->next)
		r->next->previous = r->previous;
	if (r->previous)
		r->previous->next = r->next;
	else
		r->server->first = r->next;
	if (r->upload_fd >= 0)
		close(r->upload_fd);
	for (size_t i = 0; i < r->query_count; i++) {
		free(r->query_names[i]);
		free(r->query_values[i]);
	}
	buf_done(&r->body);
	free(r);
}

/* A body with this header is an upload: so many bytes of it are kept in memory, the rest goes to a file. */
static const char head_field[] = "Davit-Config-Size";

static void begin_body(struct http_request *r)
{
	const char *head = http_header(r, head_field);
	if (r->allowed && r->server->options.takes_large && r->server->options.takes_large(r))
		r->body.max = HTTP_LARGE_MAX;
	r->spooled = r->server->options.spool && head && r->may_upload &&
		     text_parse_u64(head, HTTP_BODY_MAX, &r->head_left);
	if (!r->spooled || !r->allowed)
		return;
	/* No name in the directory: a crash leaves nothing behind. */
	r->upload_fd = open(r->server->spool, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	r->no_space = r->upload_fd < 0;
}

static void spool(struct http_request *r, const char *data, size_t size)
{
	if (r->upload_bytes + size > HTTP_UPLOAD_MAX)
		r->too_large = true;
	while (size > 0 && !r->too_large && !r->no_space) {
		ssize_t n = write(r->upload_fd, data, size);
		if (n <= 0) {
			r->no_space = true;
			return;
		}
		data += n;
		size -= (size_t)n;
		r->upload_bytes += (uint64_t)n;
	}
}

static void take_body(struct http_request *r, const char *data, size_t size)
{
	size_t head = r->spooled && r->head_left < size ? (size_t)r->head_left : size;
	if (!r->allowed || r->too_large || r->no_space)
		return;
	buf_append(&r->body, data, head);
	r->too_large = r->body.overflowed;
	if (!r->spooled)
		return;
	r->head_left -= head;
	spool(r, data + head, size - head);
}

void http_refuse(struct http_request *r, unsigned status, enum err code, const char *message)
{
	struct error err;
	error_set(&err, code, "%s", message);
	http_answer(r, status, json_text(json_of_error(&err, NULL), true));
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(r->response, "WWW-Authenticate", "Bearer");
}

static void handle(struct http_request *r)
{
	const struct http_options *options = &r->server->options;
	r->handled = true;
	/* A body takes its time, and who sends it may have lost what it was admitted by. */
	if (r->refused == 0 && options->admit)
		r->refused = options->admit(options->context, r, r->who, &r->refusal);
	else if (r->refused == 0 && r->allowed && !r->owner && options->admit_guest)
		admit_guest(r);
	if (r->refused != 0)
		http_refuse(r, r->refused, r->refusal.code, r->refusal.text);
	else if (!r->allowed)
		http_refuse(r, 403, ERR_DENIED,
			    "Only the user that runs davit and root may use this socket.");
	else if (r->too_large) {
		if (r->server->options.too_large)
			r->server->options.too_large(r->server->options.context);
		http_refuse(r, 413, ERR_LIMIT, "The request is larger than davit takes.");
	} else if (r->no_space)
		http_refuse(
			r, 507, ERR_NO_SPACE,
			"The upload could not be written to disk: nothing was changed. Free some "
			"space "
			"in the state directory, then try again.");
	else {
		if (r->upload_fd >= 0)
			lseek(r->upload_fd, 0, SEEK_SET);
		r->server->options.handle(r->server->options.context, r);
	}
}

static enum MHD_Result send_answer(struct http_request *r)
{
	enum MHD_Result result = MHD_queue_response(r->connection, r->status, r->response);
	MHD_destroy_response(r->response);
	r->response = NULL;
	return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_size, void **own)
{
	(void)version;
	struct http_request *r = *own;
	if (r ? r->server->ending : ((struct http_server *)context)->ending)
		return MHD_NO;
	if (!r) {
		*own = r = request_new(context, connection, url, method);
		begin_body(r);
		if (r->refused == 0)
			return MHD_YES;
		handle(r); /* its body is not waited for */
		return send_answer(r);
	}
	if (*data_size > 0) {
		take_body(r, data, *data_size);
		*data_size = 0;
		return MHD_YES;
	}
	if (!r->handled)
		handle(r);
	if (r->response)
		return send_answer(r);
	return r->suspended ? MHD_YES : MHD_NO;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **own,
			 enum MHD_RequestTerminationCode code)
{
	(void)context;
	(void)connection;
	(void)code;
	if (*own)
		request_free(*own);
	*own = NULL;
}

/* What people's browsers and curl speak since 2008; GnuTLS' own order of ciphers. */
static const char TLS_PRIORITIES[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

static struct MHD_Daemon *start(struct http_server *server)
{
	const struct http_options *o = &server->options;
	bool tls = o->certificate != NULL, strangers = o->open || o->admit;
	struct MHD_OptionItem secure[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
		{MHD_OPTION_END, 0, NULL}};
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL,
		on_request, server, MHD_OPTION_LISTEN_SOCKET, o->listen_fd,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_UNESCAPE_CALLBACK,
		leave_encoded, NULL, MHD_OPTION_CONNECTION_LIMIT,
		o->connections > 0 ? o->connections : (unsigned)HTTP_CONNECTIONS_MAX,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->per_address, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)(strangers ? STRANGERS_TIMEOUT_S : ANSWER_TIMEOUT_S), MHD_OPTION_ARRAY,
		tls ? secure : secure + 3, MHD_OPTION_END);
}

int http_new(struct loop *loop, const struct http_options *options, struct http_server **ret_server,
	     struct error *err)
{
	struct http_server *server = mem_zero(1, sizeof *server);
	server->loop = loop;
	server->options = *options;
	snprintf(server->spool, sizeof server->spool, "%s", options->spool ? options->spool : "");
	server->timer = (struct env_timer){.fire = on_timer, .context = server};
	server->daemon = start(server);
	/* They have been read, and are the caller's. */
	server->options.certificate = server->options.key = NULL;
	if (!server->daemon) {
		close(options->listen_fd);
		free(server);
		return error_set(err, ERR_INTERNAL, "The API could not be started on its socket%s.",
				 options->certificate
					 ? "; the certificate and the key may not belong together"
					 : "");
	}
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int result = loop_watch_start(loop, info->epoll_fd, LOOP_READ, on_ready, server,
				      &server->watch, err);
	if (result < 0) {
		http_free(server);
		return result;
	}
	arm(server);
	*ret_server = server;
	return 0;
}

int http_socket(const struct http_server *server)
{
	return fcntl(server->options.listen_fd, F_DUPFD_CLOEXEC, 0);
}

void http_leave(struct http_server *server)
{
	server->leaving = true;
	MHD_socket fd = MHD_quiesce_daemon(server->daemon);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

bool http_idle(const struct http_server *server)
{
	return server->first == NULL;
}

void http_free(struct http_server *server)
{
	if (!server)
		return;
	struct env *env = loop_env(server->loop);
	/* libmicrohttpd wants no suspended connection at its stop, and none may be suspended before it. */
	if (!server->leaving)
		http_leave(server);
	server->ending = true;
	for (struct http_request *r = server->first; r; r = r->next)
		if (r->suspended) {
			r->suspended = false;
			if (r->stream)
				r->stream->ended = true;
			MHD_resume_connection(r->connection);
		}
	loop_watch_stop(server->watch);
	MHD_run(server->daemon);
	MHD_stop_daemon(server->daemon);
	env->ops->timer_stop(env, &server->timer);
	free(server);
}

const char *http_method(const struct http_request *r)
{
	return r->method;
}

const char *http_segment(const struct http_request *r, size_t index)
{
	return index < r->segment_count ? r->segments[index] : NULL;
}

const char *http_query(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->query_count; i++)
		if (strcmp(r->query_names[i], name) == 0)
			return r->query_values[i];
	return NULL;
}

const char *http_header(const struct http_request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *http_who(const struct http_request *r)
{
	return r->who;
}

bool http_is_owner(const struct http_request *r)
{
	return r->owner;
}

const struct buf *http_body(const struct http_request *r)
{
	return &r->body;
}

void http_take_upload(struct http_request *r)
{
	r->may_upload = true;
}

int http_upload(const struct http_request *r)
{
	return r->upload_fd;
}

void http_answer(struct http_request *r, unsigned status, char *json)
{
	ASSERT(!r->response && !r->stream);
	r->status = status;
	r->response = MHD_create_response_from_buffer(strlen(json), json, MHD_RESPMEM_MUST_FREE);
	MHD_add_response_header(r->response, "Content-Type", "application/json");
	MHD_add_response_header(r->response, "Cache-Control", "no-store");
	if (r->server->leaving)
		MHD_add_response_header(r->response, "Connection", "close");
	MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT,
				  (unsigned)ANSWER_TIMEOUT_S);
	http_resume(r);
}

void http_later(struct http_request *r)
{
	MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0);
	http_suspend(r);
}
