/* A stand-in for libnvidia-ml: two cards, as the real library would list them. */
#include <string.h>

typedef struct { unsigned long long total, free, used; } memory_t;

static int cards[2] = {0, 1};

int nvmlInitWithFlags(unsigned int flags) { (void)flags; return 0; }
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int result) { (void)result; return "stand-in"; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **handle) {
    if (index > 1) return 2; /* NVML_ERROR_INVALID_ARGUMENT */
    *handle = &cards[index];
    return 0;
}
int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned int length) {
    strncpy(uuid, *(int *)handle ? "GPU-bbbb" : "GPU-aaaa", length);
    return 0;
}
int nvmlDeviceGetName(void *handle, char *name, unsigned int length) {
    strncpy(name, *(int *)handle ? "Tesla T4" : "NVIDIA GeForce RTX 3090", length);
    return 0;
}
int nvmlDeviceGetMemoryInfo(void *handle, memory_t *memory) {
    memory->total = (*(int *)handle ? 16ULL : 24ULL) << 30;
    memory->free = memory->total;
    memory->used = 0;
    return 0;
}
