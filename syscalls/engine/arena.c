/* The memory of the JavaScript heap. While the image is made, blocks come from one section at a fixed address, so that
 * its bytes can be linked in again at that address; afterwards from mappings. One thread, and never returned to libc.
 *
 * A block is a size_t with its whole size, then what the caller gets, aligned to 16 bytes. Free blocks stand in one list
 * for each size class: every multiple of 16 up to 1 KiB, then four sizes between one power of two and the next. So a
 * block that was freed serves the next request of its class. Large ones have mappings of their own. */
#include "engine.h"
#include <string.h>
#include <sys/mman.h>

enum {
  UNIT = 16,
  HEAD = sizeof(size_t),
  SMALL = 1024,
  SMALL_CLASSES = SMALL / UNIT + 1,
  CLASSES = SMALL_CLASSES + 4 * 40,
  PAGE = 4096,
  STEP = 1 << 20,    /* what is mapped at a time */
  LARGE = 128 << 10, /* from here on a mapping of its own */
  MAPPED = 1,        /* in a block's head: it is one */
};
#define MOST ((size_t)1 << 40)

/* The section's end while the image is made; its bounds are given by the build's assembly. */
extern char arena_limit[];

/* The section begins with what the next start must know: first the image, then what is free in it. */
struct arena {
  struct image image; /* IMAGE */
  char *next, *end; /* what has not been cut into blocks yet */
  void *free[CLASSES];
};
#define ARENA ((struct arena *)arena_start)

static size_t *head_of(const void *payload) { return (size_t *)payload - 1; }
static size_t capacity_of(const void *payload) { return (*head_of(payload) & ~(size_t)MAPPED) - HEAD; }

bool freezing;
uint32_t *arena_places;

void out_of_memory(void) {
  print("runt: out of memory\n");
  leave(1);
}

/* Rounds up to the size of a class and says which. */
static unsigned class_of(size_t *size) {
  if (*size <= SMALL) {
    *size = (*size + UNIT - 1) & ~(size_t)(UNIT - 1);
    return (unsigned)(*size / UNIT);
  }
  unsigned power = 63 - (unsigned)__builtin_clzl(*size - 1); /* 2^power < size <= 2^(power+1) */
  size_t step = (size_t)1 << (power - 2);
  *size = (*size + step - 1) & ~(step - 1);
  return SMALL_CLASSES + 4 * (power - 10) + (unsigned)((*size - 1 - ((size_t)1 << power)) >> (power - 2));
}

static char *mapped(size_t size) {
  void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return start == MAP_FAILED ? (out_of_memory(), NULL) : start;
}

static void put_back(void *payload, unsigned class) {
  *(void **)payload = ARENA->free[class];
  ARENA->free[class] = payload;
}

/* A new block. Those of a mapping's last bytes that are too few for it are not used. */
static void *cut(size_t size) {
  /* It begins 8 bytes behind a multiple of 16, so that what the caller gets is a multiple. */
  if ((size_t)(ARENA->end - ARENA->next) < size + UNIT) {
    if (freezing) out_of_memory();
    ARENA->next = mapped(STEP);
    ARENA->end = ARENA->next + STEP;
  }
  void *payload = ARENA->next + HEAD + HEAD;
  ARENA->next += size;
  *head_of(payload) = size;
  return payload;
}

static void *arena_malloc(JSMallocState *state, size_t wanted) {
  if (wanted > MOST) out_of_memory();
  size_t size = wanted + HEAD;
  void *payload;
  if (size > LARGE && !freezing) {
    size = (size + HEAD + PAGE - 1) & ~(size_t)(PAGE - 1);
    payload = mapped(size) + UNIT;
    *head_of(payload) = (size - HEAD) | MAPPED;
  } else {
    unsigned class = class_of(&size);
    payload = ARENA->free[class];
    if (arena_places != NULL && *arena_places != 0) {
      payload = arena_start + *arena_places;
      *head_of(payload) = size;
    } else if (payload != NULL) ARENA->free[class] = *(void **)payload;
    else payload = cut(size);
    if (arena_places != NULL) *arena_places++ = (uint32_t)((char *)payload - arena_start);
  }
  state->malloc_count++;
  state->malloc_size += capacity_of(payload);
  return payload;
}

static void arena_free(JSMallocState *state, void *payload) {
  if (payload == NULL) return;
  size_t size = *head_of(payload);
  state->malloc_count--;
  state->malloc_size -= capacity_of(payload);
  if (size & MAPPED) munmap((char *)payload - UNIT, (size & ~(size_t)MAPPED) + HEAD);
  else put_back(payload, class_of(&size));
}

static void *arena_realloc(JSMallocState *state, void *payload, size_t wanted) {
  if (payload == NULL) return arena_malloc(state, wanted);
  if (wanted == 0) {
    arena_free(state, payload);
    return NULL;
  }
  if (wanted > MOST) out_of_memory();
  size_t before = capacity_of(payload);
  if (wanted <= before && !(*head_of(payload) & MAPPED)) return payload;
  void *copy = arena_malloc(state, wanted);
  memcpy(copy, payload, wanted < before ? wanted : before);
  arena_free(state, payload);
  return copy;
}

static size_t arena_usable_size(const void *payload) { return payload == NULL ? 0 : capacity_of(payload); }

const JSMallocFunctions arena_functions = {arena_malloc, arena_free, arena_realloc, arena_usable_size};

void arena_begin_image(uint32_t *places) {
  freezing = true;
  arena_places = places + 1;
  ARENA->next = arena_start + ((sizeof *ARENA + UNIT - 1) & ~(size_t)(UNIT - 1)) + *places;
  ARENA->end = arena_limit;
}

size_t arena_end_image(void) {
  size_t size = ((size_t)(ARENA->next - arena_start) + PAGE - 1) & ~(size_t)(PAGE - 1);
  /* What is free lies between all the rest: who made a block of it would copy that page. */
  memset(ARENA->free, 0, sizeof ARENA->free);
  ARENA->next = ARENA->end = NULL;
  return size;
}
