/* SPDX-License-Identifier: Apache-2.0
 *
 * certificates - what became of certificates that are ordered from an authority. See store.h for the rules that hold
 *                for every function of the store.
 *
 * WHAT  One row for an environment, written before each order, as a failure, and after it: so a controller that dies in
 *       the middle does not order again at once. The certificate itself is a file, and its dates are in it.
 */
#ifndef STORE_CERTIFICATES_H
#define STORE_CERTIFICATES_H

#include "store/store.h"

struct store_certificate {
	char app[STORE_NAME_SIZE];
	char environment[STORE_NAME_SIZE];
	char wanted[DIGEST_HEX_SIZE]; /* of what was ordered: another order starts anew */
	uint64_t tried_unix_ms;       /* when it was last ordered */
	uint32_t failures;            /* in a row; 0: the last one was good */
	char why[STORE_SENTENCE_SIZE];
};

void store_put_certificate(struct store *s, const struct store_certificate *certificate);
/* 1 and `ret_certificate`, whose app and environment say which; 0: none was ordered. */
MUST_CHECK int store_certificate_get(struct store *s, struct store_certificate *ret_certificate,
				     struct error *err);

#endif
