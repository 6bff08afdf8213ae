/* SPDX-License-Identifier: Apache-2.0
 *
 * scrape - metrics pages of instances on this machine, in Prometheus' text format, over HTTP.
 *
 * SEE   provider/metrics.h for the contract; wire/prometheus.h for the format. A page is read while it arrives
 *       and not kept. Each scrape has a connection of its own, so that none is left open in an instance that
 *       is to end.
 */
#ifndef DRIVERS_METRICS_SCRAPE_H
#define DRIVERS_METRICS_SCRAPE_H

#include "os/loop.h"
#include "provider/metrics.h"

struct metrics *scrape_new(struct loop *loop);
void scrape_free(struct metrics *metrics); /* cancels what is under way; NULL is allowed */

#endif
