/* SPDX-License-Identifier: Apache-2.0
 *
 * external - builds that another system has made: what it says of a commit, its stages and its tests is written down, and the
 *            release that came of it goes out as that of a build made here.
 *
 * WHAT  The release is there already (control_add_release()). The system names each of its builds; the same one said again
 *       is the same build, and nothing is deployed twice; the same name with something else said is a conflict. A build
 *       that failed is written down and goes nowhere.
 *       What its scans found is judged here as that of stages that run here is (external_scans.h). A finding that stands in
 *       the way makes it a build that failed.
 *
 * HOW   The API calls control_register_build(). From the row on it is a build that is releasing: builds.c sends it out, also
 *       after a crash.
 * OWNS  What a build points to is the caller's, for the call.
 * LIMITS EXTERNAL_STAGES_MAX stages, of which BUILDS_STAGES_MAX have a scan.
 * ERRORS INVALID what is said makes no sense, or a report of a scan is none · NOT_FOUND no such release · CONFLICT said before, differently · DENIED an
 *        environment wants a signed tag, and nobody here can verify one of a build that was made elsewhere.
 */
#ifndef CONTROL_EXTERNAL_H
#define CONTROL_EXTERNAL_H

#include "control/builds.h"
#include "provider/scan_job.h"
#include "store/builds.h"
#include "store/external.h"

enum { EXTERNAL_STAGES_MAX = 64 };

struct external_stage {
	char name[STORE_NAME_SIZE];
	char state[STORE_WORD_SIZE]; /* passed, failed, skipped */
	char why[STORE_SENTENCE_SIZE];
	uint64_t took_ms;
	uint32_t tests, failed, skipped;
	uint32_t report_count; /* of its scan, the texts; 0: it was none */
	const char *reports[SCAN_JOB_REPORTS_MAX];
	const char
		*baseline; /* of the commit, the text: what is not new; NULL: what production has */
	char baseline_name[STORE_TAG_SIZE];
	uint32_t block_at; /* severity, from 0, low medium high critical */
};

struct external_build {
	char app[STORE_NAME_SIZE];
	char run[STORE_RUN_SIZE], url[STORE_URL_SIZE];
	char repository[STORE_PATH_SIZE]; /* that this server has of the application; "": none */
	char commit[STORE_COMMIT_SIZE], ref[STORE_REF_SIZE];
	char author[STORE_SENTENCE_SIZE], address[STORE_WHO_SIZE + 64],
		subject[STORE_SENTENCE_SIZE];
	uint64_t committed_unix_s;
	bool failed;
	char why[STORE_SENTENCE_SIZE];
	char release[STORE_TAG_SIZE];           /* id, its beginning or a tag; of one that passed */
	char artifact[DIGEST_HEX_SIZE];         /* that the release must have; "": any */
	bool triggered;                         /* where the ref brings it */
	char environments[STORE_SENTENCE_SIZE]; /* or these, a blank between */
	const char *waivers; /* the text of its waivers.yaml; NULL: there is none */
	uint32_t stage_count;
	struct external_stage stages[EXTERNAL_STAGES_MAX];
};

/* May who asks send it to this environment? ERR_DENIED. */
typedef int (*external_may)(void *context, const char *app, const char *environment,
			    struct error *err);

/* `content` is the digest of all that was said. `ret_existed`: it was said before. */
MUST_CHECK int control_register_build(struct control *c, const struct control_caller *caller,
				      const struct external_build *build,
				      const struct digest *content, external_may may,
				      void *may_context, uint32_t *ret_number, bool *ret_existed,
				      struct error *err);

/* ERR_INVALID where the build was made elsewhere: it is built again there. */
MUST_CHECK int external_check_ours(struct control *c, uint32_t number, struct error *err);

#endif
