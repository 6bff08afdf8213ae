/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics - what the gateway counts, as a page that Prometheus reads (text exposition format 0.0.4).
 *
 * WHAT  Families of the gateway as a whole, of each environment, of each release that an environment's table has, and of its
 *       instances. Counters are as they are: they begin at 0 with the gateway's segment (link/counters.h), which Prometheus
 *       takes for what it is. A release's series ends with the table that named it last.
 *       Latencies are from the request to the head of its answer, in METRICS_BUCKETS buckets out of the gateway's 697; the sum
 *       is that of the buckets' middles, 3 % off at most.
 * LIMITS METRICS_BYTES_MAX; what an environment has is bounded by provider/router_document.h.
 * SEE   docs/reference/metrics.md, tests/system/52_gateway_metrics.bats (`promtool check metrics`)
 */
#ifndef CONTROL_METRICS_H
#define CONTROL_METRICS_H

#include "base/buf.h"
#include "control/control.h"

enum { METRICS_BYTES_MAX = 16 << 20, METRICS_BUCKETS = 14 };

/* Append the page to `to`, after buf_init(to, METRICS_BYTES_MAX). */
void control_metrics(struct control *c, struct buf *to);

#endif
