/* SPDX-License-Identifier: Apache-2.0
 *
 * worker - one gateway worker: one thread, one edge-triggered epoll loop, all the way from accept to count.
 *
 * HOW   The link (gateway/worker_link.h) brings tables, sockets and the wish to drain. The worker starts the
 *       link with its ops, and serves once the first table is committed.
 * TIME  Writes its block's `beat_ms` at least every 500 ms: without it the supervisor takes it for hung.
 */
#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include "base/err.h"
#include "gateway/worker_link.h"

/* Serve until told to drain and drained. 0, or why it could not even begin. */
int gateway_worker_run(const struct worker_setup *setup, struct error *err) MUST_CHECK;

#endif
