/* Runs a fuzz target over kept inputs: every file given, and every file below each folder given.
 * So the corpus is tested wherever the tests run, by any compiler. */
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* nftw passes no context; this program has one thread and one job. */
static unsigned long replayed;

static int replay(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    if (type == FTW_D)
        return 0;
    if (type != FTW_F || !S_ISREG(st->st_mode)) {
        fprintf(stderr, "%s: not a readable file\n", path);
        return 1;
    }
    /* Exactly as large as the input, so that a sanitizer sees a read beyond it. */
    size_t size = (size_t)st->st_size;
    uint8_t *data = malloc(size ? size : 1);
    FILE *file = fopen(path, "rb");
    if (!data || !file || fread(data, 1, size, file) != size) {
        perror(path);
        if (file)
            fclose(file);
        free(data);
        return 1;
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int rc = nftw(argv[i], replay, 16, FTW_PHYS);
        if (rc < 0)
            perror(argv[i]);
        if (rc != 0)
            return 1;
    }
    printf("replayed %lu inputs\n", replayed);
    return 0;
}
