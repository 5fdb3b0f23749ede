/* Definitions on the command line, in vzctl's spellings; see vps.h. */
#include <string.h>

#include "base/parse.h"
#include "cli/vps.h"

struct err *opt_vps_bytes(const struct opt *opt, const char *text, void *field)
{
	if (str_eq(text, "unlimited")) {
		*(uint64_t *)field = VPS_UNLIMITED;
		return NULL;
	}
	return opt_bytes(opt, text, field);
}

/* "limit" or vzctl's "barrier:limit", where the limit counts. */
struct err *opt_vps_limit(const struct opt *opt, const char *text, void *field)
{
	const char *colon = strchr(text, ':'), *limit = colon ? colon + 1 : text;

	if (str_eq(limit, "unlimited")) {
		*(uint64_t *)field = VPS_UNLIMITED;
		return NULL;
	}
	return opt_u64(opt, limit, field);
}

/* "150" or "150%" */
struct err *opt_vps_percent(const struct opt *opt, const char *text, void *field)
{
	size_t len = strlen(text);
	OWN(str) char *number = NULL;

	TRY(str_format(&number, "%.*s", (int)(len && text[len - 1] == '%' ? len - 1 : len), text));
	return opt_u64(opt, number, field);
}

struct err *opt_vps_yes_no(const struct opt *opt, const char *text, void *field)
{
	bool yes;

	TRY(opt_bool(opt, text, &yes));
	*(uint64_t *)field = yes;
	return NULL;
}

void vps_options_init(struct vps_options *options)
{
	*options = (struct vps_options){
		.ram_bytes = VPS_UNSET,
		.swap_bytes = VPS_UNSET,
		.numproc = VPS_UNSET,
		.cpus = VPS_UNSET,
		.cpulimit_percent = VPS_UNSET,
		.cpuunits = VPS_UNSET,
		.stop_timeout_s = VPS_UNSET,
		.onboot = VPS_UNSET,
	};
}

void vps_options_release(struct vps_options *options)
{
	strlist_release(&options->ipadd);
	strlist_release(&options->nameserver);
	strlist_release(&options->searchdomain);
}

static struct err *copy_text(const char *from, char **to)
{
	return from ? str_dup(from, to) : NULL;
}

/* An option may be repeated, or hold several words as in the file. */
static struct err *copy_words(const struct strlist *from, struct strlist *to)
{
	for (size_t i = 0; i < from->count; i++) {
		const char *at = from->items[i];

		for (at += strspn(at, " ,"); *at; at += strspn(at, " ,")) {
			size_t len = strcspn(at, " ,");

			TRY(strlist_format(to, "%.*s", (int)len, at));
			at += len;
		}
	}
	return NULL;
}

static struct err *copy_addrs(const struct strlist *from, struct vps_conf *conf)
{
	OWN(strlist) struct strlist words = { 0 };

	TRY(copy_words(from, &words));
	for (size_t i = 0; i < words.count; i++) {
		struct net_addr addr;

		TRY(net_addr_parse("--ipadd", words.items[i], &addr));
		TRY(vps_conf_add_addr(conf, &addr));
	}
	return NULL;
}

struct err *vps_options_conf(const struct vps_options *options, struct vps_conf *ret_conf)
{
	OWN(vps_conf) struct vps_conf conf;

	vps_conf_init(&conf);
	TRY(copy_text(options->ostemplate, &conf.ostemplate));
	TRY(copy_text(options->hostname, &conf.hostname));
	TRY(copy_text(options->description, &conf.description));
	TRY(copy_text(options->layout, &conf.layout));
	TRY(copy_text(options->config, &conf.config));
	TRY(copy_addrs(&options->ipadd, &conf));
	TRY(copy_words(&options->nameserver, &conf.nameservers));
	TRY(copy_words(&options->searchdomain, &conf.searchdomains));
	conf.ram_bytes = options->ram_bytes;
	conf.swap_bytes = options->swap_bytes;
	conf.numproc = options->numproc;
	conf.cpus = options->cpus;
	conf.cpulimit_percent = options->cpulimit_percent;
	conf.cpuunits = options->cpuunits;
	conf.stop_timeout_s = options->stop_timeout_s;
	conf.onboot = options->onboot;
	TRY(vps_conf_check(&conf));
	*ret_conf = conf;
	vps_conf_init(&conf);
	return NULL;
}
