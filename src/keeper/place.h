/* SPDX-License-Identifier: Apache-2.0
 *
 * place - the directory an instance runs in, and the port it listens on.
 *
 * WHAT  D/instances/<id>/release is a copy of the artifact that belongs to this instance alone: what it
 *       writes there can reach neither the artifact nor another instance. In place of each persistent
 *       path stands a link to D/persist/<app>/<environment>/<path>.
 *       Ports are taken from below the range of outgoing connections, so that none of those can sit on
 *       one, and not those that another instance of this state directory has written down.
 *
 * HOW   place_make() once, place_port() before each start. Both read and write beneath `instance_fd`,
 *       the instance's directory; D is two above it.
 * ERRORS ERR_NOT_FOUND: the artifact is not there. ERR_LIMIT: no port is free.
 */
#ifndef KEEPER_PLACE_H
#define KEEPER_PLACE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "link/instance.h"

enum { PLACE_PORT_FIRST = 20000, PLACE_PORT_LAST = 29999 };

/* Make `release`, unless it is there already. It belongs to uid and gid (-1: to us). */
int place_make(int instance_fd, const struct instance_spec *spec, uid_t uid, gid_t gid,
	       struct error *err) MUST_CHECK;

/*
 * The port to start with: `*port` if it is still free, else another. `keep` is called while no other
 * keeper chooses, and must write the port down (in the record) before it returns.
 */
int place_port(int instance_fd, uint16_t *port, int (*keep)(void *context, struct error *err),
	       void *context, struct error *err) MUST_CHECK;

#endif
