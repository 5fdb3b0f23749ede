/*
 * Compiling a seccomp section with libseccomp: every architecture and every combination of rules it
 * knows. About 8 ms for podman's profile, so the common cases go another way (seccomp_generate.c)
 * and tests compare the two.
 */
#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "runtime/process/filter.h"

#define TREE_OPTIMIZE 2 /* binary tree over the numbers: seccomp_attr_set(3) */

OWN_KIND(library_filter, scmp_filter_ctx, seccomp_release)

static struct err *library_error(int rc, const char *what)
{
	return err_sys(rc < 0 ? -rc : EINVAL, "seccomp: %s", what);
}

static struct err *rule_error(int rc, const char *name)
{
	/* such a rule would vanish for all architectures, and perhaps it was the one that refuses
	 */
	if (rc == -EEXIST)
		return err_new(ERR_INVALID, "seccomp: rules for %s contradict each other", name);
	return library_error(rc, name);
}

static struct err *add_archs(scmp_filter_ctx ctx, const struct seccomp_spec *spec)
{
	for (size_t i = 0; i < spec->arch_count; i++) {
		int rc = seccomp_arch_add(ctx, spec->archs[i]);

		/* EINVAL: unknown to the library; EDOM: of the other byte order. Neither can run on
		 * this machine, and if it could it would be killed. */
		if (rc < 0 && rc != -EEXIST && rc != -EINVAL && rc != -EDOM)
			return library_error(rc, "add an architecture");
	}
	return NULL;
}

static struct err *add_call(scmp_filter_ctx ctx, const struct seccomp_rule *rule, const char *name)
{
	struct scmp_arg_cmp args[ARRAY_SIZE(rule->args)];
	int number = seccomp_syscall_resolve_name(name), rc = 0;
	unsigned int count = (unsigned int)rule->arg_count;

	if (number == __NR_SCMP_ERROR)
		return NULL; /* unknown names are ignored: profiles list calls of newer kernels */
	for (unsigned int i = 0; i < count; i++)
		args[i] = (struct scmp_arg_cmp){ rule->args[i].index,
						 (enum scmp_compare)rule->args[i].op,
						 rule->args[i].value, rule->args[i].value_two };
	if (!filter_is_alternative(rule)) {
		rc = seccomp_rule_add_array(ctx, rule->action, number, count, args);
		return rc < 0 ? rule_error(rc, name) : NULL;
	}
	for (unsigned int i = 0; i < count; i++) {
		rc = seccomp_rule_add_array(ctx, rule->action, number, 1, &args[i]);
		if (rc < 0)
			return rule_error(rc, name);
	}
	return NULL;
}

static struct err *add_rules(scmp_filter_ctx ctx, const struct seccomp_spec *spec)
{
	for (size_t i = 0; i < spec->rule_count; i++) {
		const struct seccomp_rule *rule = &spec->rules[i];

		if (rule->action == spec->default_action)
			continue; /* changes nothing, and the library refuses it */
		for (size_t n = 0; n < rule->names.count; n++)
			TRY(add_call(ctx, rule, rule->names.items[n]));
	}
	return NULL;
}

static struct err *export(scmp_filter_ctx ctx, struct seccomp_filter *ret_filter)
{
	OWN(fd) int fd = memfd_create("filter", MFD_CLOEXEC);
	OWN(buf) struct buf program = { 0 };
	int rc;

	if (fd < 0)
		return err_sys(errno, "make a buffer for the seccomp filter");
	rc = seccomp_export_bpf(ctx, fd);
	if (rc < 0)
		return library_error(rc, "compile the filter");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(errno, "read the seccomp filter");
	TRY(fd_read_all(fd, "seccomp filter", BPF_MAXINSNS * sizeof(struct sock_filter), &program));
	ret_filter->count = program.len / sizeof(struct sock_filter);
	ret_filter->insns = (struct sock_filter *)(void *)TAKE(program.data);
	return NULL;
}

struct err *filter_from_library(const struct seccomp_spec *spec, struct seccomp_filter *ret_filter)
{
	OWN(library_filter) scmp_filter_ctx ctx = NULL;
	OWN(seccomp_filter) struct seccomp_filter filter = { 0 };
	int rc;

	/* the highest level: otherwise the library asks the kernel call by call what it can */
	seccomp_api_set(5);
	ctx = seccomp_init(spec->default_action);
	if (!ctx)
		return library_error(0, "start a filter");
	rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, TREE_OPTIMIZE);
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc < 0)
		return library_error(rc, "set up a filter");
	TRY(add_archs(ctx, spec));
	TRY(add_rules(ctx, spec));
	TRY(export(ctx, &filter));
	*ret_filter = filter;
	filter = (struct seccomp_filter){ 0 };
	return NULL;
}
