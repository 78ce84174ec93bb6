/* In the place of arena.c under valgrind, which then knows each block of the JavaScript heap by malloc(3): whoever reads
 * or writes beside one is told. Only `run`: there is no image. */
#include "engine.h"
#include <malloc.h>
#include <stdlib.h>

bool freezing;

void out_of_memory(void) {
  print("runt: out of memory\n");
  leave(1);
}

static void *heap_malloc(UNUSED JSMallocState *state, size_t size) {
  void *block = malloc(size);
  if (block == NULL) out_of_memory();
  return block;
}

static void heap_free(UNUSED JSMallocState *state, void *block) { free(block); }

static void *heap_realloc(UNUSED JSMallocState *state, void *block, size_t size) {
  if (size == 0) {
    free(block); // which realloc(3) need not do
    return NULL;
  }
  void *moved = realloc(block, size);
  if (moved == NULL) out_of_memory();
  return moved;
}

static size_t heap_usable_size(UNUSED const void *block) { return 0; }

const JSMallocFunctions arena_functions = {heap_malloc, heap_free, heap_realloc, heap_usable_size};

uint32_t *arena_places;
void arena_begin_image(UNUSED uint32_t *places) {}
size_t arena_end_image(void) { return 0; }
