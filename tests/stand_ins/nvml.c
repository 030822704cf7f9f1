/* A stand-in for libnvidia-ml, for the real pynvml: two cards, as the real library would list them.

   NVML_STAND_IN may name a file that says how the cards are at the moment; it is read anew at
   each question, so that a test changes it while a program runs:

       init CODE                                    nvmlInit answers with this code
       UUID UTILISATION MEMORY POWER ENERGY CODE    % , MiB, mW, mJ; "-": this card does not know it

   A card without a line has vanished; CODE other than 0 is what it answers to every question. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6 };
enum { UTILISATION, MEMORY, POWER, ENERGY, CODE, FIELDS };

typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned int gpu, memory; } utilisation_t;

static int cards[2] = {0, 1};
static const char *uuids[2] = {"GPU-aaaa", "GPU-bbbb"};

/* The file's word for a field of a card, or for "init"; the code of the answer. */
static int look(const char *name, int field, unsigned long long *value) {
    char line[256], key[64], words[FIELDS][32];
    const char *path = getenv("NVML_STAND_IN");
    FILE *file = path ? fopen(path, "r") : NULL;
    int result = NOT_FOUND;
    if (!file) {
        *value = 0;
        return OK;
    }
    while (fgets(line, sizeof line, file)) {
        int count = sscanf(line, "%63s %31s %31s %31s %31s %31s", key, words[0], words[1],
                           words[2], words[3], words[4]);
        if (count < 2 || strcmp(key, name)) continue;
        if (count == 2) {
            result = atoi(words[0]);
        } else if (atoi(words[CODE])) {
            result = atoi(words[CODE]);
        } else if (!strcmp(words[field], "-")) {
            result = NOT_SUPPORTED;
        } else {
            *value = strtoull(words[field], NULL, 10);
            result = OK;
        }
    }
    fclose(file);
    return result;
}

static int of(void *handle, int field, unsigned long long *value) {
    return look(uuids[*(int *)handle], field, value);
}

int nvmlInitWithFlags(unsigned int flags) {
    unsigned long long value;
    int code = look("init", 0, &value);
    (void)flags;
    return code == NOT_FOUND ? OK : code;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int result) { (void)result; return "stand-in"; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **handle) {
    if (index > 1) return INVALID_ARGUMENT;
    *handle = &cards[index];
    return OK;
}
int nvmlDeviceGetHandleByUUID(const char *uuid, void **handle) {
    unsigned long long value;
    for (int index = 0; index < 2; index++) {
        if (strcmp(uuid, uuids[index])) continue;
        *handle = &cards[index];
        return look(uuid, CODE, &value) == NOT_FOUND ? NOT_FOUND : OK;
    }
    return NOT_FOUND;
}
int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned int length) {
    strncpy(uuid, uuids[*(int *)handle], length);
    return OK;
}
int nvmlDeviceGetName(void *handle, char *name, unsigned int length) {
    strncpy(name, *(int *)handle ? "Tesla T4" : "NVIDIA GeForce RTX 3090", length);
    return OK;
}
int nvmlDeviceGetMemoryInfo(void *handle, memory_t *memory) {
    unsigned long long used_mib = 0;
    int code = of(handle, MEMORY, &used_mib);
    memory->total = (*(int *)handle ? 16ULL : 24ULL) << 30;
    memory->used = used_mib << 20;
    memory->free = memory->total - memory->used;
    return code;
}
int nvmlDeviceGetUtilizationRates(void *handle, utilisation_t *rates) {
    unsigned long long percent = 0;
    int code = of(handle, UTILISATION, &percent);
    rates->gpu = (unsigned int)percent;
    rates->memory = 0;
    return code;
}
int nvmlDeviceGetPowerUsage(void *handle, unsigned int *milliwatts) {
    unsigned long long value = 0;
    int code = of(handle, POWER, &value);
    *milliwatts = (unsigned int)value;
    return code;
}
int nvmlDeviceGetTotalEnergyConsumption(void *handle, unsigned long long *millijoules) {
    return of(handle, ENERGY, millijoules);
}
