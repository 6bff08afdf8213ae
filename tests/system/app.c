/* SPDX-License-Identifier: Apache-2.0
 *
 * app - the service under test: keeps the load generator's agreement, and misbehaves on demand.
 *
 * WHAT  GET /item/N, POST /cart/N, GET /slow, GET /events, GET /ws (echo), GET /up,
 *       GET /state (JSON). See tests/load/request.h.
 *
 * HOW   release.conf in the working directory (the release's directory), one KEY=VALUE a line:
 *         version=v2           X-Release where DAVIT_RELEASE is not set
 *         crash_at_start=1     say why on standard error, exit 3
 *         start_ms=N           wait before listening
 *         unhealthy=1          /up answers 503, for ever
 *         unhealthy_after=N    /up answers 503 once N other requests were served
 *         errors_bp=N          N of 10000 requests (not /up) answer 500
 *         hang_bp=N            N of 10000 requests never get an answer
 *         cut_bp=N             N of 10000 answers end in the middle
 *         reset_bp=N           N of 10000 requests are answered by a reset
 *         garbage_bp=N         N of 10000 answers are not HTTP
 *         slow_ms=N            every request (not /up) takes so long, or
 *         slow_bp=N            N of 10000 do
 *         crash_after=N        abort in the middle of request N
 *         ignore_term=1        SIGTERM and SIGINT do nothing
 *         port=N               listen there, not on $PORT; exit 4 when it is taken
 *         leak_kib=N           each request loses so much memory
 *         journal=FILE         append the id of each POST that was carried out
 *         worker=FILE          no port: append a line to FILE each 100 ms until SIGTERM
 *         fork=1               leave a grandchild behind that ignores SIGTERM, in its own session
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agreement.h"

enum { GRACE_MS = 20000, FRAME_MAX = 4096, BP = 10000 };

static struct {
	char version[64], port[128], journal[256], worker[256];
	unsigned long crash_at_start, start_ms, unhealthy, unhealthy_after, errors_bp, hang_bp,
		slow_ms, slow_bp;
	unsigned long crash_after, ignore_term, leak_kib, fork_away, cut_bp, reset_bp, garbage_bp;
} conf = {.version = "unnamed"};

static unsigned long served;
static int journal = -1;

static void take_setting(const char *key, const char *value)
{
	const struct {
		const char *name;
		unsigned long *to;
	} numbers[] = {
		{"crash_at_start", &conf.crash_at_start},
		{"start_ms", &conf.start_ms},
		{"unhealthy", &conf.unhealthy},
		{"unhealthy_after", &conf.unhealthy_after},
		{"errors_bp", &conf.errors_bp},
		{"hang_bp", &conf.hang_bp},
		{"slow_ms", &conf.slow_ms},
		{"slow_bp", &conf.slow_bp},
		{"crash_after", &conf.crash_after},
		{"ignore_term", &conf.ignore_term},
		{"leak_kib", &conf.leak_kib},
		{"fork", &conf.fork_away},
		{"cut_bp", &conf.cut_bp},
		{"reset_bp", &conf.reset_bp},
		{"garbage_bp", &conf.garbage_bp},
	};
	const struct {
		const char *name;
		char *to;
		size_t size;
	} texts[] = {
		{"version", conf.version, sizeof conf.version},
		{"port", conf.port, sizeof conf.port},
		{"journal", conf.journal, sizeof conf.journal},
		{"worker", conf.worker, sizeof conf.worker},
	};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (strcmp(key, numbers[i].name) == 0) {
			*numbers[i].to = strtoul(value, NULL, 10);
			return;
		}
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (strcmp(key, texts[i].name) == 0) {
			snprintf(texts[i].to, texts[i].size, "%s", value);
			return;
		}
	fprintf(stderr, "app: release.conf has an unknown key: %s\n", key);
	exit(2);
}

static void read_settings(void)
{
	char line[512];
	FILE *file = fopen("release.conf", "re");
	while (file && fgets(line, sizeof line, file)) {
		line[strcspn(line, "\r\n")] = '\0';
		char *equals = strchr(line, '=');
		if (!equals)
			continue;
		*equals = '\0';
		take_setting(line, equals + 1);
	}
	if (file)
		fclose(file);
}

static void sleep_ms(unsigned long ms)
{
	struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* True for `share` of 10000 numbers, evenly spread. */
static bool struck(unsigned long n, unsigned long share)
{
	return n * share / BP != (n - 1) * share / BP;
}

static void note_post(const struct http_exchange *x)
{
	char line[128];
	const char *id = http_field(x, "X-Load-Id");
	if (journal < 0 || !id)
		return;
	int size = snprintf(line, sizeof line, "%s %s\n", id, agreement_release());
	if (write(journal, line, (size_t)size) != size)
		abort();
}

/* WebSocket, RFC 6455: echoes; says 1001 between two frames when the service stops. */

static bool receive_exactly(int fd, uint8_t *to, size_t size)
{
	return size == 0 || recv(fd, to, size, MSG_WAITALL) == (ssize_t)size;
}

static bool send_frame(int fd, uint8_t opcode, const uint8_t *payload, size_t size)
{
	uint8_t wire[FRAME_MAX + 4] = {(uint8_t)(0x80 | opcode)};
	size_t at = 2;
	wire[1] = (uint8_t)size;
	if (size > 125) {
		wire[1] = 126;
		wire[2] = (uint8_t)(size >> 8);
		wire[3] = (uint8_t)size;
		at = 4;
	}
	memcpy(wire + at, payload, size);
	return http_write(fd, wire, at + size);
}

/* One frame in, its echo out. False at the end of the conversation. */
static bool echo(int fd)
{
	uint8_t head[2], longer[2], mask[4], payload[FRAME_MAX];
	if (!receive_exactly(fd, head, 2))
		return false;
	size_t size = head[1] & 0x7f;
	if (size == 127 || (size == 126 && !receive_exactly(fd, longer, 2)))
		return false;
	if (size == 126)
		size = (size_t)longer[0] << 8 | longer[1];
	if (size > sizeof payload || !receive_exactly(fd, mask, 4) ||
	    !receive_exactly(fd, payload, size))
		return false;
	for (size_t i = 0; i < size; i++)
		payload[i] ^= mask[i % 4];
	uint8_t opcode = head[0] & 15;
	if (opcode == 8) {
		send_frame(fd, 8, payload, size < 2 ? 0 : 2);
		return false;
	}
	return send_frame(fd, opcode == 9 ? 10 : opcode, payload, size);
}

static void serve_websocket(struct http_exchange *x)
{
	static const uint8_t going_away[] = {0x03, 0xe9};
	const char *key = http_field(x, "Sec-WebSocket-Key");
	char text[256];
	unsigned char sha[SHA_DIGEST_LENGTH], accept[32];
	if (!key) {
		http_text(x, 400, "That is no WebSocket handshake.\n");
		return;
	}
	snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	SHA1((unsigned char *)text, strlen(text), sha);
	EVP_EncodeBlock(accept, sha, sizeof sha);
	int size = snprintf(
		text, sizeof text,
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Accept: %s\r\n",
		(char *)accept);
	x->taken = true;
	if (!http_write(x->fd, text, (size_t)size) ||
	    !http_write(x->fd, x->own_headers, x->own_size) || !http_write(x->fd, "\r\n", 2))
		return;
	for (;;) {
		struct pollfd p[2] = {{x->fd, POLLIN, 0}, {http_stop_fd(), POLLIN, 0}};
		if (poll(p, 2, -1) < 0 && errno == EINTR)
			continue;
		if (p[0].revents == 0) {
			send_frame(x->fd, 8, going_away, sizeof going_away);
			return;
		}
		if (!echo(x->fd))
			return;
	}
}

static void serve_health(struct http_exchange *x)
{
	bool sick = conf.unhealthy != 0 ||
		    (conf.unhealthy_after != 0 &&
		     __atomic_load_n(&served, __ATOMIC_RELAXED) >= conf.unhealthy_after);
	http_text(x, sick ? 503 : 200, sick ? "not well\n" : "up\n");
}

/* Say something that is no answer, and close. True when it struck; equal shares strike different requests. */
static bool break_off(struct http_exchange *x, unsigned long n)
{
	static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of";
	static const char garbage[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
	struct linger now = {1, 0};
	if (struck(n, conf.cut_bp))
		http_write(x->fd, cut, sizeof cut - 1);
	else if (struck(n + 1, conf.garbage_bp))
		http_write(x->fd, garbage, sizeof garbage - 1);
	else if (struck(n + 2, conf.reset_bp))
		setsockopt(x->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	else
		return false;
	x->taken = true;
	return true;
}

/* What is wrong with this release, if anything, strikes here. True when the request has its answer. */
static bool misbehave(struct http_exchange *x)
{
	unsigned long n = __atomic_add_fetch(&served, 1, __ATOMIC_RELAXED);
	if (conf.leak_kib > 0) {
		char *lost = malloc(conf.leak_kib * 1024);
		if (lost)
			memset(lost, 1, conf.leak_kib * 1024);
		__asm__ volatile(""
				 :
				 : "r"(lost)
				 : "memory"); /* or the compiler leaves it all out */
	}
	if (conf.crash_after != 0 && n >= conf.crash_after) {
		fprintf(stderr, "app: broken on purpose in request %lu\n", n);
		abort();
	}
	if (conf.slow_bp == 0 || struck(n, conf.slow_bp))
		sleep_ms(conf.slow_ms);
	if (struck(n, conf.hang_bp))
		for (;;)
			sleep_ms(1000);
	if (break_off(x, n))
		return true;
	if (struck(n, conf.errors_bp)) {
		http_text(x, 500, "This release fails on purpose.\n");
		return true;
	}
	return false;
}

static void serve(struct http_exchange *x)
{
	agreement_sign(x);
	if (strcmp(x->path, "/up") == 0) {
		serve_health(x);
		return;
	}
	if (misbehave(x))
		return;
	bool get = strcmp(x->method, "GET") == 0;
	size_t bytes = (size_t)http_query(x, "bytes", 40);
	if (get && strncmp(x->path, "/item/", 6) == 0) {
		agreement_page(x, "item ", bytes, http_query(x, "chunked", 0) == 1);
	} else if (get && strcmp(x->path, "/slow") == 0) {
		sleep_ms((unsigned long)http_query(x, "ms", 100));
		agreement_page(x, "slow ", bytes, false);
	} else if (get && strcmp(x->path, "/events") == 0) {
		agreement_events(x, http_query(x, "from", 0), http_query(x, "n", 5),
				 http_query(x, "ms", 100));
	} else if (get && strcmp(x->path, "/ws") == 0) {
		serve_websocket(x);
	} else if (get && strcmp(x->path, "/state") == 0) {
		char state[256];
		int size = snprintf(state, sizeof state,
				    "{\"release\": \"%s\", \"parts\": [{\"ready\": true}]}",
				    agreement_release());
		agreement_answer(x, "application/json", state, (size_t)size, false);
	} else if (strcmp(x->method, "POST") == 0 && strncmp(x->path, "/cart/", 6) == 0) {
		note_post(x);
		agreement_answer(x, "text/plain", x->body, x->body_size, x->body_size % 2 == 1);
	} else {
		http_text(x, 404, "There is no such page.\n");
	}
}

static volatile sig_atomic_t told_to_stop;

static void on_term(int number)
{
	(void)number;
	told_to_stop = 1;
}

static int work(void)
{
	int fd = open(conf.worker, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	char line[160];
	signal(SIGTERM, conf.ignore_term ? SIG_IGN : on_term);
	while (fd >= 0 && !told_to_stop) {
		int size =
			snprintf(line, sizeof line, "%s %d\n", agreement_release(), (int)getpid());
		if (write(fd, line, (size_t)size) != size)
			return 1;
		if (conf.crash_after != 0 && ++served >= conf.crash_after)
			abort();
		sleep_ms(100);
	}
	return fd < 0;
}

/* A grandchild in a session of its own: what a process group alone does not reach. */
static void leave_a_grandchild(void)
{
	pid_t pid = fork();
	if (pid != 0)
		return;
	setsid();
	if (fork() != 0)
		_exit(0);
	signal(SIGTERM, SIG_IGN);
	for (;;)
		sleep_ms(1000);
}

int main(void)
{
	read_settings();
	agreement_init(conf.version);
	fprintf(stderr, "app %s starts, pid %d\n", agreement_release(), (int)getpid());
	if (conf.crash_at_start) {
		fprintf(stderr, "app: cannot start: the flux capacitor is missing\n");
		return 3;
	}
	sleep_ms(conf.start_ms);
	if (conf.fork_away)
		leave_a_grandchild();
	if (conf.worker[0] != '\0')
		return work();
	if (conf.journal[0] != '\0')
		journal = open(conf.journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	const char *where = conf.port[0] != '\0' ? conf.port : getenv("PORT");
	int listener = where ? http_listen(where) : -1;
	if (listener < 0) {
		fprintf(stderr, "app: cannot listen on %s: %s\n", where ? where : "no PORT",
			strerror(errno));
		return 4;
	}
	if (conf.ignore_term) {
		/* Ours come after those of http_serve(): mask the signals instead of handling them. */
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGINT);
		sigprocmask(SIG_BLOCK, &set, NULL);
	}
	http_serve(listener, serve, GRACE_MS);
	fprintf(stderr, "app %s stopped\n", agreement_release());
	return 0;
}
