/* SPDX-License-Identifier: Apache-2.0
 *
 * uacme - provider/certificates.h by the `uacme` command (docs/adr/0007-uacme.md).
 *
 * WHAT  Below the directory it is given:
 *         sites/APP.ENV/site.pem     chain and key, 0600
 *         sites/APP.ENV/challenges/  written by `hook`, read by the gateway
 *         accounts/NUMBER/           uacme's: the key of one account at one authority, and what it just ordered
 *         hook                       what uacme calls for each challenge
 * HOW   Each certificate has a key of its own, made anew; an account's key stays. What uacme says goes into the
 *       sentence of an error.
 * OWNS  uacme_free(), after what runs has ended; uacme_cancel() ends it.
 */
#ifndef DRIVERS_CERTIFICATES_UACME_H
#define DRIVERS_CERTIFICATES_UACME_H

#include "provider/certificates.h"

#define UACME_PROGRAM "uacme"

MUST_CHECK int uacme_new(const char *directory, struct certificates **ret_certificates,
			 struct error *err);
void uacme_cancel(struct certificates *certificates); /* NULL is allowed, here and below */
void uacme_free(struct certificates *certificates);

#endif
