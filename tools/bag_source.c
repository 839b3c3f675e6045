/* Where a bag lies: a folder, or an archive (libarchive) of a kind that stores its members whole. */
#include "tools/bag.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

#define PIECE (1u << 20)
#define DEPTH_MAX 64 /* folders in folders */

struct walk {
    const struct bag_visitor *visitor;
    bag_say_fn *say;
    void *context;
    uint8_t *piece;
    char path[BAG_PATH_MAX + 1]; /* of the member, from the folder on */
};

static void say_bad(const struct walk *walk, const char *what, const char *why)
{
    if (walk->say != NULL)
        walk->say(walk->context, BAG_BAD, what, why);
}

/* --- folders --- */

static int give_file(struct walk *walk, int fd, const struct stat *st)
{
    const struct bag_visitor *v = walk->visitor;
    bool wanted = false;
    ssize_t got = 0;
    int rc = 0;

    v->begin(v->context, walk->path, (uint64_t)st->st_size, &wanted);
    if (!wanted)
        return 0;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    while (rc == 0 && (got = read(fd, walk->piece, PIECE)) > 0)
        rc = v->data(v->context, walk->piece, (size_t)got);
    if (got < 0) {
        char why[160];

        snprintf(why, sizeof(why), "cannot be read: %s", strerror(errno));
        say_bad(walk, walk->path, why);
    }
    return rc < 0 ? rc : v->end(v->context);
}

static int walk_folder(struct walk *walk, int folder, size_t len, int depth);

static int walk_name(struct walk *walk, int folder, const char *name, size_t len, int depth)
{
    size_t name_len = strlen(name);
    struct stat st;
    int fd, rc = 0;

    if (len + 1 + name_len > BAG_PATH_MAX || depth > DEPTH_MAX) {
        say_bad(walk, walk->path, "holds a path that is too long or too deep");
        return 0;
    }
    if (len > 0)
        walk->path[len++] = '/';
    memcpy(walk->path + len, name, name_len + 1);
    len += name_len;
    if (!sr_utf8_valid(name, name_len)) {
        say_bad(walk, walk->path, "has a name that is not UTF-8");
        return 0;
    }
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
        say_bad(walk, walk->path,
                S_ISLNK(st.st_mode) ? "is a link: what it leads to is not in the bag"
                                    : "is neither a file nor a folder");
        return 0;
    }
    fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        char why[160];

        snprintf(why, sizeof(why), "cannot be opened: %s", strerror(errno));
        say_bad(walk, walk->path, why);
        if (fd >= 0)
            close(fd);
        return 0;
    }
    if (S_ISDIR(st.st_mode))
        return walk_folder(walk, fd, len, depth + 1);
    if (S_ISREG(st.st_mode))
        rc = give_file(walk, fd, &st);
    close(fd);
    return rc;
}

/* Takes over the descriptor. */
static int walk_folder(struct walk *walk, int folder, size_t len, int depth)
{
    DIR *dir = fdopendir(folder);
    struct dirent *entry;
    int rc = 0;

    if (dir == NULL) {
        rc = sr_fail_errno(errno, "a folder of the bag cannot be listed");
        close(folder);
        return rc;
    }
    while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = walk_name(walk, folder, entry->d_name, len, depth);
    if (rc == 0 && errno != 0)
        rc = sr_fail_errno(errno, "a folder of the bag cannot be listed");
    walk->path[len] = '\0';
    closedir(dir);
    return rc;
}

/* --- archives --- */

static void say_archive(const struct walk *walk, struct archive *archive, const char *what)
{
    const char *error = archive_error_string(archive);
    char why[256];

    snprintf(why, sizeof(why), "cannot be read as it should be: %s",
             error != NULL ? error : "no reason given");
    say_bad(walk, what, why);
}

static int give_data(struct walk *walk, struct archive *archive)
{
    const struct bag_visitor *v = walk->visitor;
    ssize_t got = 0;
    int rc = 0;

    while (rc == 0 && (got = archive_read_data(archive, walk->piece, PIECE)) > 0)
        rc = v->data(v->context, walk->piece, (size_t)got);
    if (got < 0)
        say_archive(walk, archive, walk->path);
    return rc < 0 ? rc : v->end(v->context);
}

static int give_entry(struct walk *walk, struct archive *archive, struct archive_entry *entry)
{
    /* Not the UTF-8 form, which libarchive normalizes: LC_CTYPE is a UTF-8 locale. */
    const char *name = archive_entry_pathname(entry);
    bool wanted = false;
    size_t len;

    if (name == NULL || !sr_utf8_valid(name, strlen(name))) {
        say_bad(walk, "a member", "has a name that is not UTF-8");
        return 0;
    }
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    len = strlen(name);
    if (len > BAG_PATH_MAX) {
        say_bad(walk, "a member", "has a path that is too long");
        return 0;
    }
    memcpy(walk->path, name, len + 1);
    if (archive_entry_hardlink(entry) != NULL || archive_entry_filetype(entry) == AE_IFLNK) {
        say_bad(walk, walk->path, "is a link: what it leads to is not in the bag");
        return 0;
    }
    if (archive_entry_filetype(entry) == AE_IFDIR)
        return 0;
    if (archive_entry_filetype(entry) != AE_IFREG) {
        say_bad(walk, walk->path, "is neither a file nor a folder");
        return 0;
    }
    walk->visitor->begin(walk->visitor->context, walk->path,
                         archive_entry_size_is_set(entry) ? (uint64_t)archive_entry_size(entry) : 0,
                         &wanted);
    return wanted ? give_data(walk, archive) : 0;
}

static int open_archive(const char *path, struct archive **out)
{
    struct archive *archive = archive_read_new();
    int rc = 0;

    *out = NULL;
    if (archive == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    /* No compression around it, and of zip only the form whose directory says what is there. */
    archive_read_support_format_tar(archive);
    archive_read_support_format_zip_seekable(archive);
    archive_read_support_format_iso9660(archive);
    if (archive_read_open_filename(archive, path, PIECE) != ARCHIVE_OK) {
        rc = sr_fail(SR_ERR_UNSUPPORTED, "%s is neither a folder nor a tar, zip or ISO: %s", path,
                     archive_error_string(archive));
        archive_read_free(archive);
        return rc;
    }
    *out = archive;
    return 0;
}

static int walk_archive(struct walk *walk, const char *path)
{
    struct archive *archive;
    struct archive_entry *entry;
    bool any = false;
    int status = ARCHIVE_OK, rc = open_archive(path, &archive);

    if (rc < 0)
        return rc;
    while (rc == 0 && ((status = archive_read_next_header(archive, &entry)) == ARCHIVE_OK ||
                       status == ARCHIVE_WARN)) {
        any = true;
        rc = give_entry(walk, archive, entry);
        if (status == ARCHIVE_WARN)
            say_archive(walk, archive, walk->path);
    }
    if (rc == 0 && status != ARCHIVE_OK && status != ARCHIVE_EOF) {
        if (any)
            say_archive(walk, archive, "the archive behind the last of these members");
        else
            rc = sr_fail(SR_ERR_UNSUPPORTED, "%s is neither a folder nor a tar, zip or ISO: %s",
                         path, archive_error_string(archive));
    }
    archive_read_free(archive);
    return rc;
}

int bag_each(const char *path, const struct bag_visitor *visitor, bag_say_fn *say, void *context)
{
    struct walk *walk = calloc(1, sizeof(*walk));
    int folder, rc;

    if (walk == NULL || (walk->piece = malloc(PIECE)) == NULL) {
        free(walk);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    walk->visitor = visitor;
    walk->say = say;
    walk->context = context;
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0)
        rc = walk_folder(walk, folder, 0, 0);
    else if (errno == ENOTDIR)
        rc = walk_archive(walk, path);
    else if (errno == ENOENT)
        rc = sr_fail(SR_ERR_NOT_FOUND, "%s: No such file or directory", path);
    else
        rc = sr_fail_errno(errno, "%s", path);
    free(walk->piece);
    free(walk);
    return rc;
}
