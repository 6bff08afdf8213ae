/* SPDX-License-Identifier: Apache-2.0
 * transfers - see transfers.h for the contract. */
#include "drivers/http/transfers.h"

#include <stdlib.h>

#include "base/buf.h"

struct transfers {
	struct loop *loop;
	CURLM *multi;
	struct env_timer timer; /* curl's */
	transfer_done done;
};

struct socket_watch {
	struct loop_watch *watch;
	struct transfers *transfers;
	curl_socket_t fd;
};

static void collect(struct transfers *t)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(t->multi, &left))) {
		void *context = NULL;
		CURLcode code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&context);
		t->done(context, code);
	}
}

static void on_socket_ready(void *context, int events)
{
	struct socket_watch *watch = context;
	struct transfers *t = watch->transfers;
	int running, mask = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
			    (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0) |
			    (events & LOOP_GONE ? CURL_CSELECT_ERR : 0);
	curl_multi_socket_action(t->multi, watch->fd, mask, &running);
	collect(t);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *own)
{
	struct transfers *t = context;
	struct socket_watch *watch = own;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch) {
			loop_watch_stop(watch->watch);
			free(watch);
			curl_multi_assign(t->multi, fd, NULL);
		}
		return 0;
	}
	int events =
		(what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
	if (watch) {
		loop_watch_change(watch->watch, events);
		return 0;
	}
	struct error err;
	watch = mem_zero(1, sizeof *watch);
	*watch = (struct socket_watch){.transfers = t, .fd = fd};
	if (loop_watch_start(t->loop, fd, events, on_socket_ready, watch, &watch->watch, &err) <
	    0) {
		free(watch);
		return -1;
	}
	curl_multi_assign(t->multi, fd, watch);
	return 0;
}

static void on_curl_timeout(void *context)
{
	struct transfers *t = context;
	int running;
	curl_multi_socket_action(t->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(t);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct transfers *t = context;
	struct env *env = loop_env(t->loop);
	(void)multi;
	if (timeout_ms < 0)
		env->ops->timer_stop(env, &t->timer);
	else
		env->ops->timer_start(env, &t->timer, (uint64_t)timeout_ms);
	return 0;
}

CURL *transfer_get(const char *url, uint64_t timeout_ms, transfer_take take, void *context)
{
	CURL *transfer = curl_easy_init();
	ASSERT(transfer);
	curl_easy_setopt(transfer, CURLOPT_URL, url);
	curl_easy_setopt(transfer, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(transfer, CURLOPT_PROXY, "");
	curl_easy_setopt(transfer, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(transfer, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(transfer, CURLOPT_WRITEDATA, context);
	curl_easy_setopt(transfer, CURLOPT_PRIVATE, context);
	return transfer;
}

void transfers_start(struct transfers *t, CURL *transfer)
{
	ASSERT(curl_multi_add_handle(t->multi, transfer) == CURLM_OK);
}

void transfers_end(struct transfers *t, CURL *transfer)
{
	curl_multi_remove_handle(t->multi, transfer);
	curl_easy_cleanup(transfer);
}

struct transfers *transfers_new(struct loop *loop, transfer_done done)
{
	struct transfers *t = mem_zero(1, sizeof *t);
	ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	t->loop = loop;
	t->done = done;
	t->timer = (struct env_timer){.fire = on_curl_timeout, .context = t};
	t->multi = curl_multi_init();
	ASSERT(t->multi);
	curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
	curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
	return t;
}

void transfers_free(struct transfers *t)
{
	struct env *env = loop_env(t->loop);
	curl_multi_cleanup(t->multi);
	env->ops->timer_stop(env, &t->timer);
	free(t);
}
