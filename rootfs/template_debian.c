/* The Debian templates: mmdebstrap or debootstrap makes an archive, which is imported like any
 * other. See template.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "rootfs/template.h"

/* A small system that a person can log into, update and reach; no udev and no kernel, which a
 * container has no use for. */
#define PACKAGES                                                                                \
	"systemd,systemd-sysv,dbus,libpam-systemd,iproute2,iputils-ping,netbase,procps,passwd," \
	"login,less,"                                                                           \
	"ca-certificates,tzdata,nano,cron,logrotate"

#define WORK_ARCHIVE "incoming.tar"
#define WORK_TREE "incoming-debootstrap"
#define BUILD_TIMEOUT_MS (30 * 60 * 1000)

static char *const build_env[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" },
				   (char[]){ "LC_ALL=C.UTF-8" },
				   (char[]){ "DEBIAN_FRONTEND=noninteractive" }, NULL };

/* The programs in order of preference: mmdebstrap is faster and leaves no tree behind. */
enum builder { BUILD_MMDEBSTRAP, BUILD_DEBOOTSTRAP, BUILD_COUNT };
static const char *const builder_paths[BUILD_COUNT] = { "/usr/bin/mmdebstrap",
							"/usr/sbin/debootstrap" };

/* What the program wrote last is what went wrong. */
static const char *last_line(const struct buf *output)
{
	char *end = output->data ? output->data + output->len : NULL;

	while (end && end > output->data && end[-1] == '\n')
		*--end = '\0';
	if (!end || end == output->data)
		return "it said nothing";
	while (end > output->data && end[-1] != '\n')
		end--;
	return end;
}

static struct err *run_program(const char *path, char *const *argv)
{
	OWN(buf) struct buf output = { 0 };
	struct proc_run run = { .path = path,
				.argv = argv,
				.envp = build_env,
				.output = &output,
				.timeout_ms = BUILD_TIMEOUT_MS };
	int status;

	TRY(proc_run(&run, &status));
	if (status == 0)
		return NULL;
	return err_new(ERR_PEER, "%s ended with status %d: %.300s", path, status,
		       last_line(&output));
}

static struct err *run_mmdebstrap(const struct template_debian *recipe, const char *archive)
{
	OWN(strlist) struct strlist argv = { 0 };

	TRY(strlist_add(&argv, "mmdebstrap"));
	TRY(strlist_add(&argv, "--variant=minbase"));
	TRY(strlist_add(&argv, "--include=" PACKAGES));
	TRY(strlist_add(&argv, "--format=tar"));
	TRY(strlist_add(&argv, recipe->suite));
	TRY(strlist_add(&argv, archive));
	return run_program(builder_paths[BUILD_MMDEBSTRAP], argv.items);
}

static struct err *run_debootstrap(const struct template_debian *recipe, const char *tree,
				   const char *archive)
{
	OWN(strlist) struct strlist make = { 0 }, pack = { 0 };

	TRY(strlist_add(&make, "debootstrap"));
	TRY(strlist_add(&make, "--variant=minbase"));
	TRY(strlist_add(&make, "--include=" PACKAGES));
	TRY(strlist_add(&make, recipe->suite));
	TRY(strlist_add(&make, tree));
	TRY(run_program(builder_paths[BUILD_DEBOOTSTRAP], make.items));
	TRY(strlist_add(&pack, "tar"));
	TRY(strlist_format(&pack, "--directory=%s", tree));
	TRY(strlist_add(&pack, "--create"));
	TRY(strlist_format(&pack, "--file=%s", archive));
	TRY(strlist_add(&pack, "--numeric-owner"));
	TRY(strlist_add(&pack, "--xattrs"));
	TRY(strlist_add(&pack, "."));
	return run_program("/usr/bin/tar", pack.items);
}

static struct err *make_archive(const struct template_debian *recipe, const char *store_path)
{
	OWN(str) char *archive = NULL, *tree = NULL;

	TRY(str_format(&archive, "%s/" WORK_ARCHIVE, store_path));
	TRY(str_format(&tree, "%s/" WORK_TREE, store_path));
	if (access(builder_paths[BUILD_MMDEBSTRAP], X_OK) == 0)
		return run_mmdebstrap(recipe, archive);
	if (access(builder_paths[BUILD_DEBOOTSTRAP], X_OK) == 0)
		return run_debootstrap(recipe, tree, archive);
	return err_new(
		ERR_NOT_FOUND,
		"neither mmdebstrap nor debootstrap is installed; install the package mmdebstrap");
}

static struct err *store_path(const struct template_store *store, char **ret_path)
{
	char path[4096];
	ssize_t len = readlink(path_of_fd(store->dir_fd).text, path, sizeof(path) - 1);

	if (len < 0)
		return err_sys(errno, "find the template store");
	path[len] = '\0';
	return str_dup(path, ret_path);
}

static struct err *clear_work(const struct template_store *store)
{
	if (unlinkat(store->dir_fd, WORK_ARCHIVE, 0) < 0 && errno != ENOENT)
		return err_sys(errno, "remove " WORK_ARCHIVE);
	return path_remove_tree(store->dir_fd, WORK_TREE);
}

static struct err *build_and_import(const struct template_store *store,
				    const struct template_debian *recipe,
				    struct template_progress *progress,
				    struct template_counts *ret_counts)
{
	OWN(str) char *path = NULL, *source = NULL;
	OWN(fd) int archive_fd = -1;
	struct template_import import = { .name = recipe->name, .sandbox = recipe->sandbox };

	TRY(store_path(store, &path));
	TRY(str_format(&source, "the Debian archive, suite %s", recipe->suite));
	TRY(make_archive(recipe, path));
	TRY(path_open_beneath(store->dir_fd, WORK_ARCHIVE, O_RDONLY, &archive_fd));
	import.archive_fd = archive_fd;
	import.source = source;
	return template_import(store, &import, progress, ret_counts);
}

struct err *template_create_debian(const struct template_store *store,
				   const struct template_debian *recipe,
				   struct template_progress *progress,
				   struct template_counts *ret_counts)
{
	struct err *err;

	TRY(clear_work(store)); /* of a run that was killed */
	err = build_and_import(store, recipe, progress, ret_counts);
	return err_first(err, clear_work(store));
}
