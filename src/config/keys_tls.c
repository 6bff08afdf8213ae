/* SPDX-License-Identifier: Apache-2.0
 * keys_tls - see keys.h for the contract. HTTPS at an environment's address. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/app.h"
#include "config/keys.h"
#include "config/value.h"

#define FILE_SHAPE "an absolute path without quotes"

static const char *const challenges[] = {"http-01", "tls-alpn-01", NULL};
static const char *const unnamed[] = {"first", "shown", "never", NULL};

/* Both go to a program as arguments: neither looks like an option. */
static bool is_directory(const char *text)
{
	return text_starts(text, "https://") && text[8] != '\0' && text[8] != '/' &&
	       value_is_line(text) && !strpbrk(text, " \"\\#");
}

static bool is_email(const char *text)
{
	const char *at = strchr(text, '@');
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c >= 127 || strchr("\"\\,:;<>()", *c))
			return false;
	return at && at != text && text[0] != '-' && at[1] != '\0' && !strchr(at + 1, '@');
}

static const struct schema_key acme_keys[] = {
	{"email", SCHEMA_TEXT, AT(app_acme, email), .flags = SCHEMA_REQUIRED, .valid = is_email,
	 .max = 200, .shape = "an address of mail such as ops@example.com",
	 .example = "ops@example.com",
	 .doc = "Whom the authority writes to. Who writes it here agrees to the authority's "
		"terms."},
	{"directory", SCHEMA_TEXT, AT(app_acme, directory), .valid = is_directory, .max = 300,
	 .shape = "an address with https://",
	 .fallback = "https://acme-v02.api.letsencrypt.org/directory",
	 .doc = "The authority: its directory of RFC 8555. Its own certificate is one that the "
		"machine trusts."},
	{"challenge", SCHEMA_CHOICE, AT(app_acme, challenge), .fallback = "http-01",
	 .choices = challenges,
	 .doc = "How the authority sees that the hosts are yours: `http-01` asks at port 80, where "
		"`redirect` listens; `tls-alpn-01` at port 443, where `listen` does."},
};

static const struct schema_section acme_section = {
	.title = "acme",
	KEYS(acme_keys),
	.scalar_key = "email",
	.doc = "Certificates of an authority that speaks ACME, such as Let's Encrypt. One is "
	       "ordered for the hosts of `routes`, and renewed when a third of its time is left."};

static const struct schema_key tls_keys[] = {
	{"certificate", SCHEMA_TEXT, AT(app_tls, certificate), .valid = value_is_file, .max = 255,
	 .shape = FILE_SHAPE, .example = "/etc/davit/tls/fullchain.pem",
	 .doc = "The certificate and those between it and a known authority, in PEM form, on the "
		"machine that serves. Where environments share an address, the one whose names "
		"fit is shown, an exact name before a wildcard."},
	{"key", SCHEMA_TEXT, AT(app_tls, key), .valid = value_is_file, .max = 255,
	 .shape = FILE_SHAPE, .example = "/etc/davit/tls/privkey.pem",
	 .doc = "Its private key, without a passphrase; readable for davit's user, and not for "
		"all."},
	{"acme", SCHEMA_SECTION, AT(app_tls, acme), .flags = SCHEMA_OPTIONAL,
	 .section = &acme_section, .example = "ops@example.com",
	 .doc = "In place of `certificate` and `key`: davit gets them from an authority."},
	{"redirect", SCHEMA_TEXT, AT(app_tls, redirect), .valid = value_is_address, .max = 64,
	 .shape = "an address and a port such as 0.0.0.0:80", .example = "0.0.0.0:80",
	 .doc = "Here, in clear, the hosts of `routes` (and those that the certificate is for) are "
		"sent to HTTPS (308). Environments may share it."},
	{"unnamed", SCHEMA_CHOICE, AT(app_tls, unnamed), .fallback = "first", .choices = unnamed,
	 .doc = "Whether clients see this certificate that name no host, or one that no "
		"certificate at this address is for: `shown`; `never`; `first`: if it is the first "
		"one, and none is `shown`. Where all are `never` their handshake is refused."},
	{"hsts", SCHEMA_DURATION, AT(app_tls, hsts_ms), .max = DAY(366), .example = "180d",
	 .doc = "Tell browsers to use nothing but HTTPS for so long "
		"(`Strict-Transport-Security`)."},
};

enum { CERTIFICATE = 1 << 0, ACME = 1 << 2 };

static bool check_pair(const void *base, char *why, size_t why_size)
{
	const struct app_tls *tls = base;
	if (!tls->certificate == !tls->key)
		return true;
	snprintf(
		why, why_size,
		tls->certificate
			? "\"key\" is missing; add for example \"key: /etc/davit/tls/privkey.pem\"."
			: "\"key\" belongs to a \"certificate\"; name both, or neither.");
	return false;
}

const struct schema_section schema_tls = {
	.title = "tls",
	KEYS(tls_keys),
	.one_of = CERTIFICATE | ACME,
	.one_of_needed = true,
	.check = check_pair,
	.doc = "HTTPS at `listen`: TLS 1.2 and 1.3. The files are looked at all the time; a "
	       "renewed certificate is used at once."};
