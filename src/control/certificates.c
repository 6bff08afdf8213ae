/* SPDX-License-Identifier: Apache-2.0
 * certificates - see certificates.h for the contract. */
#include "control/certificates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "control/environment.h"
#include "control/renewal.h"
#include "provider/certificates.h"
#include "store/audit.h"
#include "store/certificates.h"

_Static_assert((int)APP_ROUTES_MAX <= (int)CERTIFICATES_NAMES_MAX,
	       "an order has room for all hosts");
_Static_assert((int)ROUTER_PATH_SIZE == (int)CERTIFICATES_PATH_SIZE, "paths fit");
_Static_assert((int)ROUTER_UNNAMED_SHOWN == (int)APP_UNNAMED_SHOWN &&
		       (int)ROUTER_UNNAMED_NEVER == (int)APP_UNNAMED_NEVER,
	       "rules for names are the same");

/* What is known of an environment's certificate; files and orders are looked at again by and by. */
struct certificate {
	uint64_t look_ms;
	const struct resolved *config; /* that it was looked at for; only compared */
	bool on, renews, loaded;
	bool told; /* that its time ends */
	struct renewal renewal;
	struct store_certificate row;
	char unusable[SENTENCE_SIZE]; /* why the files cannot be used; "" = they can */
};

struct names {
	uint32_t count;
	const char *items[APP_ROUTES_MAX];
};

static bool orders(const struct app_environment *env)
{
	return env->tls.acme.email != NULL;
}

/* The hosts of the routes, each once. */
static void collect_names(const struct app_environment *env, struct names *to)
{
	to->count = 0;
	for (uint32_t i = 0; i < env->route_count; i++) {
		bool there = env->routes[i].host == NULL;
		for (uint32_t k = 0; k < to->count && !there; k++)
			there = strcmp(to->items[k], env->routes[i].host) == 0;
		if (!there)
			to->items[to->count++] = env->routes[i].host;
	}
}

static const char *challenge_of(const struct app_environment *env)
{
	return env->tls.acme.challenge == APP_CHALLENGE_TLS_ALPN ? "tls-alpn-01" : "http-01";
}

/* Of everything that an order says: another one is not held back by the failures of this one. */
static void name_order(const struct app_environment *env, const struct names *names,
		       char to[DIGEST_HEX_SIZE])
{
	struct buf text;
	buf_init(&text, 64 * 1024);
	buf_printf(&text, "%s\n%s\n%s\n", env->tls.acme.directory, env->tls.acme.email,
		   challenge_of(env));
	for (uint32_t i = 0; i < names->count; i++)
		buf_printf(&text, "%s\n", names->items[i]);
	struct digest digest = digest_of(text.data, text.size);
	digest_format(&digest, to);
	buf_done(&text);
}

static int read_certificate(struct control *c, const struct resolved *config,
			    struct certificates_files *files, struct certificates_place *place,
			    const struct names *names, struct error *err)
{
	struct certificates *certificates = c->parts.certificates;
	const struct app_environment *env = &config->environment;
	*files = (struct certificates_files){.certificate = env->tls.certificate,
					     .key = env->tls.key};
	if (orders(env)) {
		int result = certificates->ops->place(certificates, config->app, config->name,
						      place, err);
		if (result < 0)
			return result;
		files->certificate = files->key = place->certificate;
		files->names = names->items;
		files->name_count = names->count;
	}
	return certificates->ops->read(certificates, files, err);
}

int certificates_check(struct control *c, const struct resolved *config, struct error *err)
{
	struct certificates *certificates = c->parts.certificates;
	const struct app_environment *env = &config->environment;
	struct certificates_files files;
	struct certificates_place place;
	struct names none = {0};
	if (!certificates || (!env->tls.certificate && !orders(env)))
		return 0;
	if (!orders(env))
		return read_certificate(c, config, &files, &place, &none, err);
	int result = certificates->ops->place(certificates, config->app, config->name, &place, err);
	return result < 0 ? result : certificates->ops->ready(certificates, err);
}

void certificates_fill(struct control *c, const struct resolved *config, struct router_tls *to)
{
	const struct app_tls *tls = &config->environment.tls;
	struct certificates *certificates = c->parts.certificates;
	struct certificates_place place;
	struct error ignored; /* certificates_check() has said it */
	if (tls->certificate) {
		text_copy(to->certificate, sizeof to->certificate, tls->certificate);
		text_copy(to->key, sizeof to->key, tls->key);
	} else if (tls->acme.email) {
		bool placed = certificates &&
			      certificates->ops->place(certificates, config->app, config->name,
						       &place, &ignored) == 0;
		/* Where there is no place for it, what cannot be read: never in clear. */
		text_copy(to->certificate, sizeof to->certificate,
			  placed ? place.certificate : "/");
		text_copy(to->key, sizeof to->key, to->certificate);
		text_copy(to->challenges, sizeof to->challenges, placed ? place.challenges : "");
	} else {
		return;
	}
	text_copy(to->redirect, sizeof to->redirect, tls->redirect ? tls->redirect : "");
	to->unnamed = (enum router_unnamed)tls->unnamed;
	to->hsts_s = (uint32_t)(tls->hsts_ms / 1000);
}

/* --- what there is */

static bool load_row(struct environment *e, struct certificate *w)
{
	struct error err;
	if (w->loaded)
		return true;
	text_copy(w->row.app, sizeof w->row.app, e->app);
	text_copy(w->row.environment, sizeof w->row.environment, e->name);
	if (store_certificate_get(e->control->parts.store, &w->row, &err) < 0) {
		log_event(LOG_WARNING, "control.certificate", "environment=%s error=\"%s\"", e->key,
			  err.text);
		return false;
	}
	memcpy(&w->renewal.chance, e->salt, sizeof w->renewal.chance);
	w->loaded = true;
	return true;
}

static void tell_age(struct environment *e, struct certificate *w)
{
	char when[64];
	uint64_t now = env_wall_ms(e->control->parts.env);
	bool ends = w->renewal.until_unix_ms > 0 &&
		    renewal_age(&w->renewal, w->renews, now) != RENEWAL_FRESH;
	if (ends && !w->told)
		log_event(LOG_WARNING, "control.certificate-ends", "environment=%s until=%s",
			  e->key, text_format_time(w->renewal.until_unix_ms, when, sizeof when));
	w->told = ends;
}

static void look(struct environment *e, struct certificate *w, const struct resolved *config)
{
	struct control *c = e->control;
	const struct app_environment *env = &config->environment;
	struct certificates_place place;
	struct certificates_files files = {0};
	struct names names;
	struct error err;
	char wanted[DIGEST_HEX_SIZE];
	collect_names(env, &names);
	w->renews = orders(env);
	int result = read_certificate(c, config, &files, &place, &names, &err);
	text_copy(w->unusable, sizeof w->unusable, result < 0 ? err.text : "");
	w->renewal.held = result == 0 && files.covers;
	w->renewal.from_unix_ms = files.from_unix_ms;
	w->renewal.until_unix_ms = files.until_unix_ms;
	if (w->renews) {
		name_order(env, &names, wanted);
		if (strcmp(wanted, w->row.wanted) != 0) {
			text_copy(w->row.wanted, sizeof w->row.wanted, wanted);
			w->row.tried_unix_ms = w->row.failures = 0;
			w->row.why[0] = '\0';
		}
	}
	w->renewal.tried_unix_ms = w->row.tried_unix_ms;
	w->renewal.failures = w->row.failures;
	tell_age(e, w);
}

static void follow(struct environment *e, uint64_t now_ms)
{
	const struct resolved *config = routing_wanted(e) ? environment_traffic_config(e) : NULL;
	bool on = config && (config->environment.tls.certificate || orders(&config->environment));
	if (!on && !e->certificate)
		return;
	if (!e->certificate)
		e->certificate = mem_zero(1, sizeof *e->certificate);
	struct certificate *w = e->certificate;
	bool again = w->on != on || w->config != config || now_ms >= w->look_ms;
	w->on = on;
	w->config = config;
	if (!on || !again)
		return;
	w->look_ms = now_ms + CERTIFICATES_LOOK_MS;
	if (load_row(e, w))
		look(e, w, config);
}

/* --- orders */

struct certificate_job {
	struct control *control; /* NULL: it is gone */
	struct certificates *certificates;
	char key[CONTROL_KEY_SIZE];
	char app[CONTROL_NAME_SIZE], environment[CONTROL_NAME_SIZE];
	char directory[512], email[256];
	char names[CERTIFICATES_NAMES_MAX][256];
	const char *items[CERTIFICATES_NAMES_MAX];
	struct certificates_order order;
	struct store_certificate row;
	int result;
	struct error err;
};

static void fill_job(struct certificate_job *job, struct environment *e,
		     const struct app_environment *env)
{
	struct names names;
	collect_names(env, &names);
	text_copy(job->key, sizeof job->key, e->key);
	text_copy(job->app, sizeof job->app, e->app);
	text_copy(job->environment, sizeof job->environment, e->name);
	text_copy(job->directory, sizeof job->directory, env->tls.acme.directory);
	text_copy(job->email, sizeof job->email, env->tls.acme.email);
	for (uint32_t i = 0; i < names.count; i++) {
		text_copy(job->names[i], sizeof job->names[i], names.items[i]);
		job->items[i] = job->names[i];
	}
	job->order = (struct certificates_order){.app = job->app,
						 .environment = job->environment,
						 .directory = job->directory,
						 .email = job->email,
						 .challenge = challenge_of(env),
						 .names = job->items,
						 .name_count = names.count};
	job->certificates = e->control->parts.certificates;
}

static void add_audit(struct control *c, const struct certificate_job *job)
{
	struct store_audit_entry audit = {.at_unix_ms = env_wall_ms(c->parts.env)};
	text_copy(audit.app, sizeof audit.app, job->app);
	text_copy(audit.environment, sizeof audit.environment, job->environment);
	text_copy(audit.who, sizeof audit.who, "davit");
	text_copy(audit.action, sizeof audit.action,
		  job->result < 0 ? "certificate.failed" : "certificate.renewed");
	text_copy(audit.reason, sizeof audit.reason, job->order.names[0]);
	text_copy(audit.evidence, sizeof audit.evidence, job->row.why);
	store_add_audit(c->parts.store, &audit);
}

static void put_outcome(struct control *c, struct certificate_job *job)
{
	struct environment *e = environment_find_key(c, job->key);
	struct error err;
	if (job->result == 0) /* the failure was written before */
		job->row.failures = 0;
	text_copy(job->row.why, sizeof job->row.why, job->result < 0 ? job->err.text : "");
	control_begin(c, false);
	store_put_certificate(c->parts.store, &job->row);
	if (job->result == 0 || job->row.failures == 1)
		add_audit(c, job);
	if (control_commit(c, &err) < 0)
		log_event(LOG_WARNING, "control.certificate", "environment=%s error=\"%s\"",
			  job->key, err.text);
	log_event(job->result < 0 ? LOG_WARNING : LOG_INFO,
		  job->result < 0 ? "control.certificate-failed" : "control.certificate-renewed",
		  "environment=%s host=%s failures=%u why=\"%s\"", job->key, job->order.names[0],
		  job->row.failures, job->row.why);
	if (e && e->certificate && strcmp(e->certificate->row.wanted, job->row.wanted) == 0) {
		e->certificate->row = job->row;
		e->certificate->look_ms = 0;
	}
}

static void work(void *context)
{
	struct certificate_job *job = context;
	job->result = job->certificates->ops->order(job->certificates, &job->order, &job->err);
}

static void finish(void *context)
{
	struct certificate_job *job = context;
	if (job->control) {
		job->control->certificate_job = NULL;
		put_outcome(job->control, job);
	}
	free(job);
}

/* The authority asks at once: the gateway listens, and knows where its answers are. */
static bool listens(const struct environment *e)
{
	return e->sent && e->sent->tls.challenges[0] && !e->routing && !e->route_failed;
}

static bool is_due(const struct environment *e, uint64_t now_unix_ms)
{
	const struct certificate *w = e->certificate;
	return w && w->on && w->renews && w->loaded && listens(e) &&
	       now_unix_ms >= renewal_due_unix_ms(&w->renewal);
}

static void begin(struct environment *e)
{
	struct control *c = e->control;
	struct certificate *w = e->certificate;
	const struct resolved *config = environment_traffic_config(e);
	struct error err;
	w->row.tried_unix_ms = w->renewal.tried_unix_ms = env_wall_ms(c->parts.env);
	w->renewal.failures = ++w->row.failures;
	text_copy(w->row.why, sizeof w->row.why,
		  "It was ordered, and davit ended before an answer came.");
	control_begin(c, false);
	store_put_certificate(c->parts.store, &w->row);
	if (control_commit(c, &err) < 0) {
		log_event(LOG_WARNING, "control.certificate", "environment=%s error=\"%s\"", e->key,
			  err.text);
		return;
	}
	struct certificate_job *job = mem_zero(1, sizeof *job);
	fill_job(job, e, &config->environment);
	job->control = c;
	job->row = w->row;
	c->certificate_job = job;
	log_event(LOG_INFO, "control.certificate-ordered", "environment=%s host=%s directory=%s",
		  e->key, job->order.names[0], job->order.directory);
	if (c->parts.background) {
		c->parts.background(c->parts.background_context, work, finish, job);
		return;
	}
	work(job);
	finish(job);
}

void certificates_tick(struct control *c)
{
	uint64_t now_ms = env_now_ms(c->parts.env), wall_ms = env_wall_ms(c->parts.env);
	if (!c->parts.certificates)
		return;
	for (uint32_t i = 0; i < c->environment_count; i++)
		follow(c->environments[i], now_ms);
	for (uint32_t i = 0; i < c->environment_count && !c->certificate_job; i++)
		if (is_due(c->environments[i], wall_ms)) {
			begin(c->environments[i]);
			return;
		}
}

/* --- what is shown */

static const char *state_of(const struct environment *e, const struct certificate *w)
{
	const struct renewal *r = &w->renewal;
	enum renewal_age age = renewal_age(r, w->renews, env_wall_ms(e->control->parts.env));
	const struct certificate_job *job = e->control->certificate_job;
	bool ordering = job && strcmp(job->key, e->key) == 0;
	if (r->until_unix_ms > 0 && age == RENEWAL_EXPIRED)
		return "expired";
	if (w->renews && r->failures > 0 && !ordering)
		return "failing";
	if (w->renews && !r->held)
		return "ordered";
	if (w->unusable[0])
		return "unusable";
	return age == RENEWAL_SOON ? "soon" : "good";
}

static void say(const struct certificate *w, struct view_certificate *to)
{
	char until[64] = "", due[64];
	size_t size = sizeof to->text;
	if (w->renewal.until_unix_ms > 0)
		text_format_time(w->renewal.until_unix_ms, until, sizeof until);
	if (strcmp(to->state, "ordered") == 0)
		snprintf(to->text, size,
			 "The first one is ordered; until then the gateway shows one of its own "
			 "making.");
	else if (strcmp(to->state, "failing") == 0 || (w->renews && w->row.why[0]))
		snprintf(to->text, size, "%s%s%s%s Next try: %s.", until[0] ? "Good until " : "",
			 until, until[0] ? ". " : "", w->row.why,
			 text_format_time(to->due_unix_ms, due, sizeof due));
	else if (strcmp(to->state, "unusable") == 0)
		snprintf(to->text, size, "%s", w->unusable);
	else if (strcmp(to->state, "expired") == 0)
		snprintf(to->text, size, "It has expired on %s.", until);
	else
		snprintf(to->text, size, "Good until %s%s.", until,
			 strcmp(to->state, "soon") != 0 ? ""
			 : w->renews                    ? ", and not renewed yet"
							: ": put a new one into its files");
}

void certificates_show(struct environment *e, struct view_certificate *to)
{
	const struct certificate *w = e->certificate;
	if (!w || !w->on || !w->loaded)
		return;
	text_copy(to->state, sizeof to->state, state_of(e, w));
	to->until_unix_ms = w->renewal.until_unix_ms;
	to->due_unix_ms = w->renews ? renewal_due_unix_ms(&w->renewal) : 0;
	say(w, to);
}

void certificates_forget(struct environment *e)
{
	free(e->certificate);
	e->certificate = NULL;
}

void certificates_release(struct control *c)
{
	if (c->certificate_job)
		c->certificate_job->control = NULL;
	c->certificate_job = NULL;
}
