/* files FOLDER COUNT BYTES: writes COUNT files of BYTES each, with fsync and close, one after the
 * other, as a camera's card is copied. Content differs from file to file. Exit status 1 on any error. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int write_file(const char *path, uint8_t *content, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);

    if (fd < 0)
        return -1;
    if (write(fd, content, len) != (ssize_t)len || fsync(fd) != 0) {
        close(fd);
        return -1;
    }
    return close(fd);
}

int main(int argc, char **argv)
{
    char path[4096];
    uint8_t *content;
    unsigned long count, len;

    if (argc != 4)
        return 2;
    count = strtoul(argv[2], NULL, 10);
    len = strtoul(argv[3], NULL, 10);
    content = calloc(1, len + sizeof(unsigned long));
    if (content == NULL)
        return 1;
    for (unsigned long i = 0; i < count; i++) {
        for (size_t at = 0; at < len; at += 512)
            *(unsigned long *)(void *)(content + at) = i + at;
        snprintf(path, sizeof(path), "%s/%05lu.jpg", argv[1], i);
        if (write_file(path, content, len) != 0) {
            perror(path);
            free(content);
            return 1;
        }
    }
    free(content);
    return 0;
}
