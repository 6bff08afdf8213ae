/* SPDX-License-Identifier: Apache-2.0
 *
 * transfers - HTTP requests of the controller's own, by libcurl, driven by the loop (curl's socket interface).
 *
 * HOW   transfer_get() makes a GET, to which its owner may add with curl_easy_setopt(); transfers_start()
 *       sends it on its way; `done` is called from the loop, once, with what was given as `context`.
 *       transfers_end() frees it, in `done` or at any time before: then `done` is not called.
 *       No redirect is followed and no proxy used: what answers is what was asked.
 *
 * OWNS  End every transfer before transfers_free().
 * TIME  `timeout_ms` is for the whole of it, from the connection to the last byte.
 */
#ifndef DRIVERS_HTTP_TRANSFERS_H
#define DRIVERS_HTTP_TRANSFERS_H

#include <curl/curl.h>
#include <stdint.h>

#include "os/loop.h"

struct transfers;

typedef void (*transfer_done)(void *context, CURLcode code);

/* Takes `size * count` bytes of the body; another answer than that number ends the transfer. */
typedef size_t (*transfer_take)(char *data, size_t size, size_t count, void *context);

struct transfers *transfers_new(struct loop *loop, transfer_done done);
void transfers_free(struct transfers *transfers);

CURL *transfer_get(const char *url, uint64_t timeout_ms, transfer_take take, void *context);

void transfers_start(struct transfers *transfers, CURL *transfer);
void transfers_end(struct transfers *transfers, CURL *transfer);

#endif
