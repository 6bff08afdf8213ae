/* SPDX-License-Identifier: Apache-2.0
 *
 * own_page - the maintenance page that an environment's configuration names, as a file of its release.
 *
 * WHAT  `requests: { maintenance: { page: PATH } }` is a path inside the release; the gateway is told the file's path on
 *       this machine, where it stays as long as the release is kept. What a release's files are cannot change: whoever
 *       looks when the release comes in, and when the page is about to be shown, has looked.
 * HOW   A link is not followed at its end, as the gateway does not; links in the way stay inside (os/archive.h).
 * ERRORS INVALID no such file, no plain one, empty, or larger than ROUTER_PAGE_MAX; LIMIT its path is too long. The
 *       sentence names the page as the configuration does.
 */
#ifndef CONTROL_OWN_PAGE_H
#define CONTROL_OWN_PAGE_H

#include "config/app.h"
#include "provider/artifact.h"
#include "provider/router_document.h"

/* The file of the page, whether it can be shown or not; "" where none is named. */
MUST_CHECK int own_page_path(struct artifact_store *artifacts, const struct digest *artifact,
			     const struct app_requests *requests, char ret_path[ROUTER_PATH_SIZE],
			     struct error *err);

/* Can it be shown? Also where none is named. */
MUST_CHECK int own_page_check(struct artifact_store *artifacts, const struct digest *artifact,
			      const struct app_requests *requests, struct error *err);

/* Every environment of a release's stored configuration (control/release_config.h). */
MUST_CHECK int own_page_check_release(struct artifact_store *artifacts,
				      const struct digest *artifact, const char *config,
				      size_t config_size, struct error *err);

#endif
