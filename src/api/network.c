/* SPDX-License-Identifier: Apache-2.0
 * network - see network.h for the contract. */
#include "api/network.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "config/server.h"
#include "os/file.h"
#include "os/listen.h"
#include "os/secret_file.h"

enum { ADDRESS_SIZE = 80, PATH_SIZE = 1024 };

/* What a server was made of. */
struct place {
	char address[ADDRESS_SIZE]; /* "": none */
	char certificate[PATH_SIZE], key[PATH_SIZE];
	struct stat certificate_is, key_is;
};

struct leaving {
	struct http_server *http;
	struct leaving *next;
};

struct network {
	struct loop *loop;
	const char *name;
	struct http_options options;
	struct http_server *http; /* NULL: it listens nowhere */
	struct place place;
	struct place failed; /* that could not be listened at: said once */
	struct leaving *leaving;
};

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool same_place(const struct place *a, const struct place *b)
{
	return strcmp(a->address, b->address) == 0 && strcmp(a->certificate, b->certificate) == 0 &&
	       strcmp(a->key, b->key) == 0 && same_file(&a->certificate_is, &b->certificate_is) &&
	       same_file(&a->key_is, &b->key_is);
}

static void place_of(const struct server_listen *wanted, struct place *to)
{
	memset(to, 0, sizeof *to);
	if (!wanted || !wanted->listen)
		return;
	text_copy(to->address, sizeof to->address, wanted->listen);
	if (!wanted->certificate)
		return;
	text_copy(to->certificate, sizeof to->certificate, wanted->certificate);
	text_copy(to->key, sizeof to->key, wanted->key);
	/* One that is not there has no time: reading it says so. */
	if (stat(to->certificate, &to->certificate_is) != 0)
		memset(&to->certificate_is, 0, sizeof to->certificate_is);
	if (stat(to->key, &to->key_is) != 0)
		memset(&to->key_is, 0, sizeof to->key_is);
}

static int read_pem(const struct place *place, struct buf *certificate, struct buf *key,
		    struct error *err)
{
	if (!place->certificate[0])
		return 0;
	int code = file_read(AT_FDCWD, place->certificate, certificate, err);
	return code < 0 ? code : secret_file_read(place->key, key, err);
}

/* `fd` is the server's, also when this fails. */
static int begin(struct network *n, const struct place *place, int fd,
		 struct http_server **ret_http, struct error *err)
{
	struct http_options options = n->options;
	struct buf certificate, key;
	buf_init(&certificate, NETWORK_PEM_MAX);
	buf_init(&key, NETWORK_PEM_MAX);
	key.secret = true;
	int code = read_pem(place, &certificate, &key, err);
	if (code < 0) {
		close(fd);
	} else {
		options.listen_fd = fd;
		options.connections = NETWORK_CONNECTIONS;
		/* A proxy of this machine comes from one address with everybody's. */
		options.per_address = place->certificate[0] ? NETWORK_PER_ADDRESS : 0;
		options.certificate = place->certificate[0] ? buf_text(&certificate) : NULL;
		options.key = place->certificate[0] ? buf_text(&key) : NULL;
		code = http_new(n->loop, &options, ret_http, err);
	}
	buf_done(&certificate);
	buf_done(&key);
	return code;
}

/* What it serves is served to the end. */
static void leave(struct network *n)
{
	if (!n->http)
		return;
	struct leaving *old = mem_zero(1, sizeof *old);
	*old = (struct leaving){.http = n->http, .next = n->leaving};
	n->leaving = old;
	http_leave(n->http);
	n->http = NULL;
}

/* A socket of its own, for one of the same address is still open. */
static int open_place(struct network *n, const struct place *place, struct error *err)
{
	bool stays = n->http && strcmp(n->place.address, place->address) == 0;
	struct http_server *fresh = NULL;
	int fd = stays ? http_socket(n->http) : -1;
	int code = fd < 0 ? listen_open(place->address, &fd, err) : 0;
	if (code == 0)
		code = begin(n, place, fd, &fresh, err);
	if (code < 0)
		return code;
	leave(n);
	n->http = fresh;
	n->place = *place;
	return 0;
}

static void free_left(struct network *n)
{
	for (struct leaving **at = &n->leaving; *at;) {
		struct leaving *one = *at;
		if (!http_idle(one->http)) {
			at = &one->next;
			continue;
		}
		*at = one->next;
		http_free(one->http);
		free(one);
	}
}

void network_keep(struct network *n, const struct server_listen *wanted)
{
	struct place place;
	struct error err;
	free_left(n);
	place_of(wanted, &place);
	if (!place.address[0]) {
		leave(n);
		network_cut(n, NULL, NULL); /* there is no end to wait for */
		memset(&n->place, 0, sizeof n->place);
		return;
	}
	if (n->http && same_place(&n->place, &place))
		return;
	int code = open_place(n, &place, &err);
	if (code == 0)
		log_event(LOG_INFO, n->name, "address=%s tls=%s", place.address,
			  place.certificate[0] ? "yes" : "no");
	else if (!same_place(&n->failed, &place))
		log_event(LOG_ERROR, n->name, "error=\"%s\" again=\"each second\"", err.text);
	if (code < 0)
		n->failed = place;
	else
		memset(&n->failed, 0, sizeof n->failed);
}

const char *network_address(const struct network *n)
{
	return n->http ? n->place.address : NULL;
}

void network_wake(struct network *n)
{
	if (n->http)
		http_wake(n->http);
	for (struct leaving *one = n->leaving; one; one = one->next)
		http_wake(one->http);
}

void network_cut(struct network *n, bool (*ends)(void *context, const char *who), void *context)
{
	if (n->http)
		http_cut(n->http, ends, context);
	for (struct leaving *one = n->leaving; one; one = one->next)
		http_cut(one->http, ends, context);
}

struct network *network_new(struct loop *loop, const char *name, const struct http_options *options)
{
	struct network *n = mem_zero(1, sizeof *n);
	n->loop = loop;
	n->name = name;
	n->options = *options;
	return n;
}

void network_free(struct network *n)
{
	if (!n)
		return;
	http_free(n->http);
	while (n->leaving) {
		struct leaving *one = n->leaving;
		n->leaving = one->next;
		http_free(one->http);
		free(one);
	}
	free(n);
}
