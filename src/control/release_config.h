/* SPDX-License-Identifier: Apache-2.0
 *
 * release_config - the configuration that a release carries, as the one JSON text that the store keeps.
 *
 * WHAT  {"environments": {"prod": {…resolved…}, …}, "text": "…davit.yaml as written…"}. The digest of the
 *       "environments" part, canonical, is the configuration's digest.
 * OWNS  ret_resolved is freed by config_resolved_free(), a buffer is the caller's.
 * ERRORS ERR_INVALID with the first error's place for a file with errors; ERR_NOT_FOUND for an environment
 *       that the release's configuration does not have.
 */
#ifndef CONTROL_RELEASE_CONFIG_H
#define CONTROL_RELEASE_CONFIG_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "config/app.h"

/* From davit.yaml. `ret_app_name` gets the application's name. */
MUST_CHECK int release_config_make(const char *yaml, const char *file, struct buf *ret_json,
				   struct digest *ret_digest, char ret_app_name[48],
				   struct error *err);

/* The same configuration under another digest: for instances that shall be new. */
MUST_CHECK int release_config_again(const char *json, size_t size, uint64_t salt,
				    struct buf *ret_json, struct digest *ret_digest,
				    struct error *err);

/* The configuration's own digest, also when it was given another one. */
MUST_CHECK int release_config_digest(const char *json, size_t size, struct digest *ret_digest,
				     struct error *err);

MUST_CHECK int release_config_resolved(const char *json, size_t size, const char *environment,
				       struct resolved **ret_resolved, struct error *err);

/* With another strategy than the environment's own, by name. */
MUST_CHECK int release_config_strategy(const char *json, size_t size, const char *environment,
				       const char *strategy, struct resolved **ret_resolved,
				       struct error *err);

/* Every environment that it has, in order of name; a visit that returns other than 0 ends the walk. */
typedef int (*release_config_visit)(void *context, const char *environment,
				    const struct resolved *resolved);
MUST_CHECK int release_config_each(const char *json, size_t size, release_config_visit visit,
				   void *context, struct error *err);

/* The resolved configuration of one environment, as text. */
MUST_CHECK int release_config_text(const char *json, size_t size, const char *environment,
				   struct buf *ret_text, struct error *err);

#endif
