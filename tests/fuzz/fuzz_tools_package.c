/* Any bytes as a bag in a tar, zip or ISO 9660 image, checked as strongroom verify does: members, tag files, XML, custody, proofs. */
#include <locale.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "tools/bag.h"

static void say(void *context, enum bag_level level, const char *what, const char *why)
{
    unsigned *bad = context;

    must(what != NULL && why != NULL && why[0] != '\0');
    *bad += level == BAG_BAD;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bag_summary summary;
    char path[64];
    unsigned bad = 0;
    int fd = memfd_create("package", MFD_CLOEXEC);

    setlocale(LC_CTYPE, "C.UTF-8");
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (bag_check(path, NULL, say, NULL, &bad, &summary) == 0)
        must(summary.bad == bad);
    close(fd);
    return 0;
}
