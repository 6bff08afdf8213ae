/* SPDX-License-Identifier: Apache-2.0
 *
 * tls - see tls.h for the contract.
 */
#include "gateway/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/account.h"
#include "gateway/acme.h"
#include "gateway/tls_site.h"

static struct tls_site *site_of(const struct worker *w, const struct client *c, bool *ret_tls)
{
	const struct live *live = w->live;
	int index = c->listener->index;
	*ret_tls = false;
	if (index < 0)
		return NULL;
	const struct live_route *r = live->listener_routes[index];
	for (; r < live->listener_routes[index + 1]; r++) {
		struct tls_site *site = live->sites[r->route->environment];
		*ret_tls |= site != NULL;
		if (site && site->context)
			return site;
	}
	return NULL;
}

bool tls_accept(struct worker *w, struct client *c)
{
	bool encrypted;
	struct tls_site *site = site_of(w, c, &encrypted);
	if (!encrypted)
		return true;
	SSL *ssl = site ? SSL_new(site->context) : NULL;
	if (!ssl || SSL_set_fd(ssl, c->fd) != 1) {
		SSL_free(ssl);
		account_worker(w, COUNTERS_WORKER_TLS_FAILED);
		return false;
	}
	SSL_set_app_data(ssl, c);
	SSL_set_accept_state(ssl);
	site->refs++;
	c->site = site;
	c->tls = ssl;
	return true;
}

/* What a call that did not succeed means. */
static int result_of(struct client *c, int result)
{
	switch (SSL_get_error(c->tls, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE: return FLOW_WAIT;
	case SSL_ERROR_ZERO_RETURN: return FLOW_END;
	default: c->broken = true; return FLOW_ERROR;
	}
}

/* A browser that was sent to http:// here gets an answer that it can show. */
static void refuse_in_clear(struct client *c)
{
	static const char answer[] = "HTTP/1.1 400 Bad Request\r\n"
				     "Server: davit\r\n"
				     "X-Davit-Error: not-tls\r\n"
				     "Content-Type: text/plain\r\n"
				     "Content-Length: 40\r\n"
				     "Connection: close\r\n\r\n"
				     "This address speaks HTTPS: use https://\n";
	ssize_t put = send(c->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)put; /* a few bytes into an empty socket: it is gone */
}

int tls_handshake(struct worker *w, struct client *c)
{
	ERR_clear_error();
	int done = SSL_do_handshake(c->tls);
	if (done == 1) {
		c->secure = true;
		account_worker(w, COUNTERS_WORKER_TLS_HANDSHAKES);
		if (SSL_session_reused(c->tls))
			account_worker(w, COUNTERS_WORKER_TLS_RESUMED);
		if (!acme_was_shown(c->tls))
			return 1;
		tls_say_end(c); /* who asked by acme-tls/1 has seen what it wanted */
		return FLOW_END;
	}
	int reason = ERR_GET_REASON(ERR_peek_error());
	int result = result_of(c, done);
	if (result == FLOW_WAIT)
		return FLOW_WAIT;
	account_worker(w, COUNTERS_WORKER_TLS_FAILED);
	if (reason != SSL_R_HTTP_REQUEST)
		return FLOW_ERROR;
	refuse_in_clear(c);
	return FLOW_END;
}

int tls_receive(struct worker *w, struct client *c, struct flow *f)
{
	uint32_t room = flow_room(f, &w->buffers), got = 0;
	int result = FLOW_WAIT;
	ASSERT(room > 0);
	ERR_clear_error();
	while (got < room) {
		size_t size = 0;
		int read = SSL_read_ex(c->tls, f->buffer->data + f->raw, room - got, &size);
		if (read != 1) {
			result = result_of(c, read);
			break;
		}
		got += (uint32_t)size;
		f->raw += (uint32_t)size;
	}
	/* An end that was met after some bytes is met again by the next call. */
	f->drained = got < room && result == FLOW_WAIT;
	f->grow = got == room;
	return got ? (int)got : result;
}

int tls_send(struct worker *w, struct client *c, struct flow *f, const char *head,
	     uint32_t head_size)
{
	char record[TLS_RECORD_MAX];
	uint32_t total = 0;
	ERR_clear_error();
	for (;;) {
		uint32_t size = flow_gather(f, head, head_size, record, sizeof(record));
		size_t put = 0;
		if (!size)
			return (int)total;
		int written = SSL_write_ex(c->tls, record, size, &put);
		int result = written == 1 ? 0 : result_of(c, written);
		if (result == FLOW_END || result == FLOW_ERROR)
			return FLOW_ERROR;
		flow_sent(f, &w->buffers, head, head_size, (uint32_t)put);
		head = NULL; /* what is left of it is the flow's now */
		head_size = 0;
		total += (uint32_t)put;
		if (result == FLOW_WAIT)
			return total ? (int)total : FLOW_WAIT;
	}
}

int tls_write(struct client *c, const char *data, uint32_t size)
{
	size_t put = 0;
	ERR_clear_error();
	int written =
		SSL_write_ex(c->tls, data, size < TLS_RECORD_MAX ? size : TLS_RECORD_MAX, &put);
	if (written == 1)
		return (int)put;
	return result_of(c, written) == FLOW_WAIT ? FLOW_WAIT : FLOW_ERROR;
}

bool tls_speaks_http2(const struct client *c)
{
	const unsigned char *name;
	unsigned size;
	SSL_get0_alpn_selected(c->tls, &name, &size);
	return size == 2 && memcmp(name, "h2", 2) == 0;
}

void tls_say_end(struct client *c)
{
	if (!c->tls || !c->secure || c->broken)
		return;
	ERR_clear_error();
	SSL_shutdown(
		c->tls); /* a socket that takes nothing more has a client that reads no end either */
	ERR_clear_error();
	c->broken = true;
}

void tls_free(struct worker *w, struct client *c)
{
	if (!c->tls)
		return;
	SSL_free(c->tls);
	tls_site_unref(w, c->site);
	c->tls = NULL;
	c->site = NULL;
}

const char *tls_version(const struct client *c)
{
	return c->tls ? SSL_get_version(c->tls) : "-";
}
