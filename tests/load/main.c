/* SPDX-License-Identifier: Apache-2.0
 *
 * davit-load - paced requests against one address, and a verdict on every single one.
 *
 * WHAT  An open loop: request N is due at start + N / rate, whatever the server does. Latency
 * counts from then. Each request carries an id of its own; each must be answered exactly once, with
 * that id.
 *
 * HOW   JSON lines: one a second, and at the end one with "summary":true (tests/load/tally.h says
 * what is in them). Exit 0 when the run went to its end; with --expect-zero-davit-failures 1 when a
 * request failed and no release signed the failure, or when nothing was answered; 2 for wrong
 * usage.
 */
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/text.h"
#include "client.h"

enum { RATE_MAX = 200000, DRAIN_POLL_NS = 20 * 1000000 };

struct options {
	struct client_options client;
	const char *url, *out_path, *ids_path, *stop_file, *host;
	uint64_t rate, duration_ms, held_over_ms;
	unsigned mix[REQUEST_KIND_COUNT], mix_sum;
	bool expect_zero;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

static const char usage_text[] =
	"usage: davit-load --url http://HOST:PORT | unix:PATH [options]\n"
	"  --rate N            requests a second (100)\n"
	"  --duration T        10s, 1m; without it until SIGINT, SIGTERM or --stop-file\n"
	"  --stop-file FILE    stop when FILE exists\n"
	"  --connections N     kept alive (64)            --ws-connections N  WebSockets (8)\n"
	"  --mix LIST          get=70,post=20,slow=0,ws=5,sse=5\n"
	"  --timeout T         for one answer (30s)       --max-bytes N       largest body "
	"(200000)\n"
	"  --host NAME         Host header                --header 'N: V'     added to each "
	"request\n"
	"  --users N           N users who keep their cookies; counts changes of release\n"
	"  --held-over T       a GET or POST that took longer counts as held (500ms)\n"
	"  --out FILE          the report (standard output)\n"
	"  --ids FILE          one line a request: id kind outcome status release instance at-ms "
	"took-ms\n"
	"  --allow-idle-close  send a GET again whose reused connection closed before a byte of "
	"answer\n"
	"  --expect-zero-davit-failures   exit 1 when a request failed and no release signed the "
	"failure\n";

static void usage(const char *why, const char *what)
{
	fprintf(stderr, "davit-load: %s%s%s\n%s", why, what ? ": " : "", what ? what : "",
		usage_text);
	exit(2);
}

static uint64_t number(const char *text, uint64_t max, const char *name)
{
	uint64_t value;
	if (!text_parse_u64(text, max, &value))
		usage("not a number in range", name);
	return value;
}

static uint64_t duration(const char *text, const char *name)
{
	uint64_t ms;
	if (!text_parse_duration(text, &ms))
		usage("not a duration like 500ms or 30s", name);
	return ms;
}

static void parse_mix(struct options *o, char *list)
{
	char *rest = NULL;
	memset(o->mix, 0, sizeof o->mix);
	o->mix_sum = 0;
	for (char *item = strtok_r(list, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
		char *value = strchr(item, '=');
		size_t kind = 0;
		if (!value)
			usage("--mix wants KIND=SHARE", item);
		*value++ = '\0';
		while (kind < REQUEST_KIND_COUNT &&
		       strcmp(item, request_kind_name((enum request_kind)kind)) != 0)
			kind++;
		if (kind == REQUEST_KIND_COUNT)
			usage("--mix knows get, post, slow, sse and ws, not", item);
		o->mix[kind] = (unsigned)number(value, 10000, "--mix");
		o->mix_sum += o->mix[kind];
	}
	if (o->mix_sum == 0)
		usage("--mix adds up to nothing", NULL);
}

static void resolve_unix(struct options *o, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&o->client.address;
	un->sun_family = AF_UNIX;
	if (!text_copy(un->sun_path, sizeof un->sun_path, path))
		usage("the socket's path is too long", path);
	o->client.address_size = sizeof *un;
	snprintf(o->client.style.host, sizeof o->client.style.host, "%s",
		 o->host ? o->host : "localhost");
}

static void resolve(struct options *o)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	char host[256], *port;
	if (!o->url)
		usage("--url is missing", NULL);
	if (text_starts(o->url, "unix:")) {
		resolve_unix(o, o->url + 5);
		return;
	}
	if (!text_starts(o->url, "http://"))
		usage("--url wants http://HOST:PORT or unix:PATH", o->url);
	snprintf(host, sizeof host, "%.*s", (int)strcspn(o->url + 7, "/"), o->url + 7);
	snprintf(o->client.style.host, sizeof o->client.style.host, "%s", o->host ? o->host : host);
	port = strrchr(host, ':');
	if (!port)
		usage("--url has no port", o->url);
	*port++ = '\0';
	if (getaddrinfo(host, port, &hints, &found) != 0)
		usage("no such host", host);
	memcpy(&o->client.address, found->ai_addr, found->ai_addrlen);
	o->client.address_size = found->ai_addrlen;
	freeaddrinfo(found);
}

enum {
	OPT_URL = 256,
	OPT_RATE,
	OPT_DURATION,
	OPT_STOP_FILE,
	OPT_CONNECTIONS,
	OPT_WS_CONNECTIONS,
	OPT_MIX,
	OPT_TIMEOUT,
	OPT_MAX_BYTES,
	OPT_HOST,
	OPT_HEADER,
	OPT_USERS,
	OPT_HELD_OVER,
	OPT_OUT,
	OPT_IDS,
	OPT_ALLOW_IDLE_CLOSE,
	OPT_EXPECT_ZERO,
};

static const struct option long_options[] = {
	{"url", required_argument, NULL, OPT_URL},
	{"rate", required_argument, NULL, OPT_RATE},
	{"duration", required_argument, NULL, OPT_DURATION},
	{"stop-file", required_argument, NULL, OPT_STOP_FILE},
	{"connections", required_argument, NULL, OPT_CONNECTIONS},
	{"ws-connections", required_argument, NULL, OPT_WS_CONNECTIONS},
	{"mix", required_argument, NULL, OPT_MIX},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"max-bytes", required_argument, NULL, OPT_MAX_BYTES},
	{"host", required_argument, NULL, OPT_HOST},
	{"header", required_argument, NULL, OPT_HEADER},
	{"users", required_argument, NULL, OPT_USERS},
	{"held-over", required_argument, NULL, OPT_HELD_OVER},
	{"out", required_argument, NULL, OPT_OUT},
	{"ids", required_argument, NULL, OPT_IDS},
	{"allow-idle-close", no_argument, NULL, OPT_ALLOW_IDLE_CLOSE},
	{"expect-zero-davit-failures", no_argument, NULL, OPT_EXPECT_ZERO},
	{NULL, 0, NULL, 0},
};

static void add_header(struct options *o, const char *header)
{
	size_t i = 0;
	while (i < EXTRA_HEADERS_MAX && o->client.style.headers[i])
		i++;
	if (i == EXTRA_HEADERS_MAX)
		usage("too many --header", NULL);
	o->client.style.headers[i] = header;
}

static void take_option(struct options *o, int option, char *value)
{
	switch (option) {
	case OPT_URL: o->url = value; break;
	case OPT_RATE: o->rate = number(value, RATE_MAX, "--rate"); break;
	case OPT_DURATION: o->duration_ms = duration(value, "--duration"); break;
	case OPT_STOP_FILE: o->stop_file = value; break;
	case OPT_CONNECTIONS:
		o->client.connections = (unsigned)number(value, CLIENT_CONNS_MAX, "--connections");
		break;
	case OPT_WS_CONNECTIONS:
		o->client.ws_connections =
			(unsigned)number(value, CLIENT_CONNS_MAX, "--ws-connections");
		break;
	case OPT_MIX: parse_mix(o, value); break;
	case OPT_TIMEOUT: o->client.timeout_ms = duration(value, "--timeout"); break;
	case OPT_MAX_BYTES:
		o->client.style.max_bytes = number(value, 1000000, "--max-bytes");
		break;
	case OPT_HOST: o->host = value; break;
	case OPT_HEADER: add_header(o, value); break;
	case OPT_USERS: o->client.users = (unsigned)number(value, 100000, "--users"); break;
	case OPT_HELD_OVER: o->held_over_ms = duration(value, "--held-over"); break;
	case OPT_OUT: o->out_path = value; break;
	case OPT_IDS: o->ids_path = value; break;
	case OPT_ALLOW_IDLE_CLOSE: o->client.allow_idle_close = true; break;
	case OPT_EXPECT_ZERO: o->expect_zero = true; break;
	default: usage("unknown option", NULL);
	}
}

static void parse(struct options *o, int argc, char **argv)
{
	char default_mix[] = "get=70,post=20,ws=5,sse=5";
	int option;
	uint32_t random;
	*o = (struct options){.rate = 100, .held_over_ms = 500};
	o->client.connections = 64;
	o->client.ws_connections = 8;
	o->client.timeout_ms = 30000;
	o->client.style.max_bytes = 200000;
	parse_mix(o, default_mix);
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		take_option(o, option, optarg);
	if (optind < argc)
		usage("what is this", argv[optind]);
	if (o->rate == 0 || o->client.connections == 0)
		usage("--rate and --connections are at least 1", NULL);
	if (o->mix[REQUEST_WS] > 0 && o->client.ws_connections == 0)
		usage("--mix has ws, but --ws-connections is 0", NULL);
	resolve(o);
	if (getrandom(&random, sizeof random, 0) != sizeof random)
		usage("no randomness", NULL);
	snprintf(o->client.style.run, sizeof o->client.style.run, "%08" PRIx32, random);
}

static FILE *open_or_die(const char *path)
{
	FILE *file = fopen(path, "we");
	if (!file) {
		fprintf(stderr, "davit-load: cannot write \"%s\"\n", path);
		exit(2);
	}
	return file;
}

/* Spread the kinds evenly: number N takes place (N * step) mod sum in the mix, step coprime to the
 * sum. */
static enum request_kind kind_of(const struct options *o, uint64_t n)
{
	uint64_t place = n * 7919 % o->mix_sum;
	for (size_t kind = 0; kind < REQUEST_KIND_COUNT; kind++) {
		if (place < o->mix[kind])
			return (enum request_kind)kind;
		place -= o->mix[kind];
	}
	return REQUEST_GET;
}

/* Told from outside; the duration is a number of requests. */
static bool told_to_stop(const struct options *o)
{
	return stopped || (o->stop_file && access(o->stop_file, F_OK) == 0);
}

/* Send on schedule until told to stop; then let what is out come home. */
static void run(const struct options *o, struct client *client, struct tally *tally)
{
	int64_t start = tally->start_ns, now = start, second = start + 1000000000;
	int64_t stop_check = start;
	uint64_t last = o->duration_ms > 0 ? o->rate * o->duration_ms / 1000 : UINT64_MAX;
	for (uint64_t n = 0; n < last; now = clock_ns()) {
		int64_t due = start + (int64_t)((double)n * 1e9 / (double)o->rate);
		if (now >= second) {
			tally_second(tally, now, client->http.count + client->ws.count,
				     client->in_flight);
			second += 1000000000;
		}
		if (now >= stop_check) {
			if (told_to_stop(o))
				break;
			stop_check = now + DRAIN_POLL_NS;
		}
		if (now < due) {
			client_wait(client, due < stop_check ? due : stop_check);
			continue;
		}
		struct request r = {.number = n, .kind = kind_of(o, n), .intended_ns = due};
		tally->scheduled = ++n;
		client_send(client, &r);
		if (n % 64 == 0) /* far behind schedule: answers must be read all the same */
			client_wait(client, now);
	}
	int64_t end = now + (int64_t)o->client.timeout_ms * 1000000;
	while (client_pending(client) > 0 && clock_ns() < end)
		client_wait(client, clock_ns() + DRAIN_POLL_NS);
	client_stop(client);
}

int main(int argc, char **argv)
{
	struct options o;
	struct client client;
	static struct tally tally;
	struct sigaction action = {.sa_handler = on_signal};
	parse(&o, argc, argv);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	o.client.ids = o.ids_path ? open_or_die(o.ids_path) : NULL;
	FILE *out = o.out_path ? open_or_die(o.out_path) : stdout;
	tally_init(&tally, out, clock_ns(), o.held_over_ms);
	if (!client_init(&client, &o.client, &tally))
		return 2;
	run(&o, &client, &tally);
	tally_summary(&tally, clock_ns());
	client_done(&client);
	if (o.client.ids)
		fclose(o.client.ids);
	if (out != stdout)
		fclose(out);
	bool davit_failed = tally_blamed(&tally, 'd') > 0 || tally.answered == 0;
	return o.expect_zero && davit_failed ? 1 : 0;
}
