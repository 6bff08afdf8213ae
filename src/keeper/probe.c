/* SPDX-License-Identifier: Apache-2.0
 * probe - see probe.h for the contract. */
#include "keeper/probe.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/cgroup.h"
#include "os/sweep.h"
#include "os/tcp.h"

static void let_go(struct probe *p)
{
	struct env *env = loop_env(p->loop);
	env->ops->timer_stop(env, &p->timer);
	loop_watch_stop(p->watch);
	p->watch = NULL;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	probe_http2_free(p->http2);
	p->http2 = NULL;
	if (p->process.pidfd >= 0) {
		struct process_end end;
		const struct cgroup none = {.kill = CGROUP_NONE};
		struct sweep sweep = {
			.cgroup = &none, .session = p->process.pid, .start = p->process.start};
		if (!process_ended(&p->process, &end))
			process_signal(&p->process, SIGKILL);
		sweep_signal_group(&sweep, SIGKILL);
		process_reap(&p->process);
		process_done(&p->process);
	}
}

static void finish(struct probe *p, bool passed, const char *sentence)
{
	if (!p->busy)
		return;
	p->busy = false;
	p->done(p->context, passed, sentence);
}

static void fail(struct probe *p, const struct error *err)
{
	let_go(p);
	finish(p, false, err->text);
}

static void on_timeout(void *context)
{
	struct probe *p = context;
	char text[INSTANCE_SENTENCE_SIZE];
	snprintf(text, sizeof text, "The health check had no answer within %llu ms.",
		 (unsigned long long)p->health->timeout_ms);
	let_go(p);
	finish(p, false, text);
}

void probe_init(struct probe *p)
{
	p->busy = false;
	p->fd = -1;
	p->watch = NULL;
	p->http2 = NULL;
	p->process = PROCESS_NONE;
	p->timer = (struct env_timer){.fire = on_timeout, .context = p};
}

void probe_cancel(struct probe *p)
{
	let_go(p);
	p->busy = false;
}

static void begin(struct probe *p)
{
	struct env *env = loop_env(p->loop);
	let_go(p); /* an old answer that is still being dropped */
	p->busy = true;
	p->line_size = p->answer_size = p->request_sent = 0;
	env->ops->timer_start(env, &p->timer, p->health->timeout_ms);
}

/* The status of "HTTP/1.x NNN"; 0 if it is not that. */
static unsigned status_of(const char *line)
{
	if (strncmp(line, "HTTP/1.", 7) != 0 || (line[7] != '0' && line[7] != '1') ||
	    line[8] != ' ')
		return 0;
	unsigned status = 0;
	for (int i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return 0;
		status = status * 10 + (unsigned)(line[i] - '0');
	}
	return line[12] == ' ' || line[12] == '\r' ? status : 0;
}

static void judge(struct probe *p)
{
	char text[INSTANCE_SENTENCE_SIZE];
	unsigned status = status_of(p->line);
	if (status == 0)
		snprintf(text, sizeof text, "GET %.128s: the answer is not HTTP/1.",
			 p->health->path);
	else
		snprintf(text, sizeof text, "GET %.128s answered %u.", p->health->path, status);
	finish(p, status >= 200 && status < 400, text);
}

/* Returns false when nothing more is wanted. */
static bool take_frames(struct probe *p, const char *bytes, size_t size)
{
	char text[INSTANCE_SENTENCE_SIZE];
	enum probe_http2_state state = probe_http2_answer(p->http2, bytes, size, text, sizeof text);
	if (state != PROBE_HTTP2_MORE)
		finish(p, state == PROBE_HTTP2_PASSED, text);
	return state == PROBE_HTTP2_MORE;
}

/* Returns false when there is nothing more to come. */
static bool receive(struct probe *p)
{
	char bytes[4096];
	struct error err;
	int count = tcp_receive(p->fd, bytes, sizeof bytes, &err);
	if (count == ERR_RETRY)
		return true;
	if (count < 0) {
		fail(p, &err); /* unless it has been judged already */
		return false;
	}
	p->answer_size += (size_t)count;
	if (p->http2)
		return take_frames(p, bytes, (size_t)count) && p->answer_size < PROBE_ANSWER_BYTES;
	size_t room = sizeof p->line - 1 - p->line_size;
	size_t taken = (size_t)count < room ? (size_t)count : room;
	memcpy(p->line + p->line_size, bytes, taken);
	p->line_size += taken;
	p->line[p->line_size] = '\0';
	if (p->busy && p->line_size >= 13)
		judge(p);
	return p->answer_size < PROBE_ANSWER_BYTES;
}

static void send_request(struct probe *p)
{
	struct error err;
	if (p->request_sent == 0 && tcp_connected(p->fd, &err) < 0) {
		fail(p, &err);
		return;
	}
	if (p->health->kind == INSTANCE_HEALTH_TCP) {
		let_go(p);
		finish(p, true, "The port accepts connections.");
		return;
	}
	int count = tcp_send(p->fd, p->request + p->request_sent, p->request_size - p->request_sent,
			     &err);
	if (count < 0 && count != ERR_RETRY) {
		fail(p, &err);
		return;
	}
	p->request_sent += count > 0 ? (size_t)count : 0;
	if (p->request_sent == p->request_size)
		loop_watch_change(p->watch, LOOP_READ);
}

static void on_socket(void *context, int events)
{
	struct probe *p = context;
	if (p->request_sent < p->request_size) {
		send_request(p);
		return;
	}
	(void)events; /* readable, or gone: reading tells */
	if (!receive(p)) {
		let_go(p);
		finish(p, false, "The connection was closed before a status.");
	}
}

/* False: it does not fit. */
static bool write_request(struct probe *p, uint16_t port)
{
	const struct instance_health *health = p->health;
	if (health->kind == INSTANCE_HEALTH_HTTP2 || health->kind == INSTANCE_HEALTH_GRPC) {
		p->http2 = probe_http2_new(
			health->kind == INSTANCE_HEALTH_GRPC ? NULL : health->path, port);
		p->request_size = probe_http2_request(p->http2, p->request, sizeof p->request);
		return p->request_size > 0;
	}
	p->request_size = (size_t)snprintf(
		p->request, sizeof p->request,
		"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: davit-health\r\n"
		"Accept: */*\r\nConnection: close\r\n\r\n",
		health->path ? health->path : "/", port);
	return p->request_size < sizeof p->request;
}

void probe_start_port(struct probe *p, uint16_t port)
{
	struct error err;
	begin(p);
	if (!write_request(p, port))
		error_set(&err, ERR_LIMIT, "The health check's path is too long.");
	else if (tcp_connect(port, &p->fd, &err) == 0 &&
		 loop_watch_start(p->loop, p->fd, LOOP_WRITE, on_socket, p, &p->watch, &err) == 0)
		return;
	fail(p, &err);
}

static void on_command_end(void *context, int events)
{
	struct probe *p = context;
	struct process_end end;
	char text[INSTANCE_SENTENCE_SIZE];
	(void)events;
	if (!process_ended(&p->process, &end))
		return;
	if (end.signal)
		snprintf(text, sizeof text, "The health command was ended by signal %d.",
			 end.signal);
	else
		snprintf(text, sizeof text, "The health command exited with %d.", end.code);
	let_go(p);
	finish(p, end.code == 0, text);
}

void probe_start_command(struct probe *p, const struct process_spec *spec)
{
	struct error err;
	begin(p);
	if (process_spawn(spec, &p->process, &err) == 0 &&
	    loop_watch_start(p->loop, p->process.pidfd, LOOP_READ, on_command_end, p, &p->watch,
			     &err) == 0)
		return;
	fail(p, &err);
}
