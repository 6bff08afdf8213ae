/* SPDX-License-Identifier: Apache-2.0
 *
 * tls_site - a certificate chain and its private key, as they are in their files now.
 *
 * HOW   tls_prepare() finds the sites of a table's environments by the paths of their files and reads those
 *       that are new or were changed since. Every TLS_LOOK_MS the worker looks at the files again: a renewed
 *       certificate is used by the next handshake, a broken one leaves the old one in use and says so once.
 *       Session tickets (TLS 1.3 only, where they cost no forward secrecy) are sealed by keys that are derived
 *       from the private key and the half-day: so all workers, and those that come after an upgrade, have
 *       the same ones, and nothing about them is kept or passed anywhere.
 * ERRORS tls_prepare(): the sentence names the file. A table that is in force already is not refused for its
 *       files: the others go on, and this one's handshakes fail until they are mended.
 *       Nor is a table that was saved (`saved`, after a reboot), or that follows one with the same files.
 *       Where there is a directory of challenges, a certificate that cannot be read is no error: one of nobody
 *       stands in for it until there is one.
 * LIMITS os/certificate.h
 */
#ifndef GATEWAY_TLS_SITE_H
#define GATEWAY_TLS_SITE_H

#include "gateway/core.h"

enum { TLS_LOOK_MS = 2000, TLS_TICKET_S = 12 * 3600, TLS_SECRET_SIZE = 32 };

struct ssl_ctx_st;

struct tls_site {
	struct tls_site *next;
	struct worker *worker;
	uint32_t refs;
	struct ssl_ctx_st *context; /* NULL: its files could not be read yet */
	uint64_t stamp;             /* of the files when they were last read, whatever came of it */
	uint8_t secret[TLS_SECRET_SIZE]; /* tickets are sealed by what is derived from it */
	char certificate[TABLE_FILE_SIZE];
	char key[TABLE_FILE_SIZE];
	char challenges[TABLE_FILE_SIZE];
};

void tls_init(struct worker *w);

/* live->sites, by environment; NULL where it is served in clear. tls_forget() gives them back. */
int tls_prepare(struct worker *w, struct live *live, bool saved, struct error *err) MUST_CHECK;
void tls_forget(struct worker *w, struct live *live);

void tls_site_unref(struct worker *w, struct tls_site *site);

/* Whether the site's certificate is for this name; `exact`: not by a wildcard. */
bool tls_site_covers(const struct tls_site *site, const char *name, bool exact);

#endif
