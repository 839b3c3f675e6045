/* list FOLDER COUNT: lists a folder as `ls -f` does, and then as `ls -l` does (each name looked up and asked
 * about). Prints the two times in seconds. Exit status 1 when there are not COUNT entries. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double list(const char *folder, int with_attributes, unsigned long expected)
{
    double start = now_s();
    DIR *dir = opendir(folder);
    unsigned long count = 0;
    struct dirent *entry;
    struct stat st;

    if (!dir) {
        perror(folder);
        exit(1);
    }
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.') {
            count++;
            if (with_attributes && fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)) {
                perror(entry->d_name);
                exit(1);
            }
        }
    closedir(dir);
    if (count != expected) {
        fprintf(stderr, "%s: %lu entries, not %lu\n", folder, count, expected);
        exit(1);
    }
    return now_s() - start;
}

int main(int argc, char **argv)
{
    double names, attributes;

    if (argc != 3)
        return 2;
    names = list(argv[1], 0, strtoul(argv[2], NULL, 10));
    attributes = list(argv[1], 1, strtoul(argv[2], NULL, 10));
    printf("%.4f %.4f\n", names, attributes);
    return 0;
}
