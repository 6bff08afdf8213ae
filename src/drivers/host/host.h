/* SPDX-License-Identifier: Apache-2.0
 *
 * host - provider/host.h by HTTP: GitHub, GitLab, Gitea.
 *
 * PROTOCOL GitHub REST, version 2022-11-28: POST /repos/R/statuses/SHA; GET and POST /repos/R/deployments,
 *       POST /repos/R/deployments/ID/statuses. GitLab v4: POST /projects/R/statuses/SHA. Gitea v1: as GitHub's statuses.
 *       No redirect is followed: the token is for this host. Certificates are checked. A proxy of the environment is used.
 */
#ifndef DRIVERS_HOST_HOST_H
#define DRIVERS_HOST_HOST_H

#include "provider/host.h"

struct host *host_http_new(void);
void host_http_cancel(
	struct host *host); /* what is being told ends soon; NULL is allowed, here and below */
void host_http_free(struct host *host);

#endif
